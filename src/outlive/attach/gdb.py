"""A visit by gdb: it stops the process, has it take one call, and lets go.

Of two ways the script takes one, by where the first thread stands then.

- It waits where `waiting.look` saw it: a thread is created that runs the text.
- Else the text is put into the interpreter's own queue (Py_AddPendingCall), which the first thread looks at
  between two instructions of Python.
"""

from __future__ import annotations

import os
import select
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outlive.attach import thread_start
from outlive.errors import OutliveError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.attach.target import Target
    from outlive.attach.waiting import Wait

_PATIENCE_SECONDS = 30.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MARK = "~ "

# No symbols are read while the process stands still, for which libraries are not to be found: all addresses
# are known. Of mmap: 3 is readable and writable, 5 readable and executable, 0x22 private and anonymous.
_SCRIPT = """
set confirm off
set auto-load off
set auto-solib-add off
set sysroot /nonexistent
set libthread-db-search-path /nonexistent
set print thread-events off
set unwindonsignal on
set language c
handle all nostop noprint pass
file /proc/{pid}/exe
echo ~ attaching\\n
attach {pid}
set scheduler-locking on
echo ~ calling\\n
if ((int(*)(void)){Py_IsInitialized})() == 0
  echo ~ early\\n
else
  set $data = (unsigned long)((void*(*)(void*,unsigned long,int,int,int,long)){mmap})(0,{bytes},3,0x22,-1,0)
  set $code = -1ul
  if $data != -1ul && {waits} && (unsigned long)$pc == {pc} && (unsigned long)$sp == {sp}
    set $code = (unsigned long)((void*(*)(void*,unsigned long,int,int,int,long)){mmap})(0,{page},5,0x22,-1,0)
  end
  if $data == -1ul
    echo ~ memory\\n
  else
    if $code != -1ul
      restore {threaded} binary $data
      restore {code} binary $code
      set scheduler-locking off
      set $failed = ((int(*)(unsigned long,unsigned long,unsigned long,unsigned long)){pthread_create})\
($data+{thread_offset},0,$code,$data)
      printf "~ thread %d %lu\\n", $failed, $data
    else
      restore {queued} binary $data
      set $failed = ((int(*)(unsigned long,unsigned long)){Py_AddPendingCall})\
({PyRun_SimpleString},$data+{text_offset})
      printf "~ queued %d %lu\\n", $failed, $data
    end
  end
end
detach
echo ~ left\\n
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit that is over.

    `still_seconds`: how long the process stood still for it, at most. `queued`: the text waits for the first
    thread, rather than for the GIL in a thread of its own. `text_address`: where it lies there.
    """

    still_seconds: float
    queued: bool
    text_address: int


def visit(gdb: str, target: Target, wait: Wait | None, threaded: str, queued: str) -> Visit:
    """Have a process run Python source, soon: `threaded` in a thread of its own, or `queued` in its first.

    Raises:
        OutliveError: gdb could not, and why; the process goes on as before.

    """
    code = thread_start.instructions()
    blocks = [thread_start.block(target.addresses, text) for text in (threaded, queued)]
    with ExitStack() as files:
        code_file, threaded_file, queued_file = (files.enter_context(_file(each)) for each in (code, *blocks))
        script = _SCRIPT.format(
            **target.addresses,
            pid=target.pid,
            page=_PAGE_BYTES,
            bytes=-(-max(map(len, blocks)) // _PAGE_BYTES) * _PAGE_BYTES,
            waits=int(wait is not None and code != b""),
            pc=wait.program_counter if wait is not None else 0,
            sp=wait.stack_pointer if wait is not None else 0,
            code=_name(code_file),
            threaded=_name(threaded_file),
            queued=_name(queued_file),
            thread_offset=thread_start.THREAD_OFFSET,
            text_offset=thread_start.TEXT_OFFSET,
        )
        script_file = files.enter_context(_file(script.encode()))
        said = _run(gdb, target.pid, script_file, [code_file, threaded_file, queued_file])
    return _understood(said, target.pid)


def cancel(pid: int, seen: Visit) -> None:
    """Make nothing of a text that has not run yet."""
    try:
        memory = os.open(f"/proc/{pid}/mem", os.O_RDWR | os.O_CLOEXEC)
    except OSError:  # it has ended
        return
    try:
        os.pwrite(memory, b"\0", seen.text_address)
    except OSError:
        return
    finally:
        os.close(memory)


def _run(gdb: str, pid: int, script: int, data: list[int]) -> list[tuple[float, str]]:
    """Run gdb to its end and return its lines, each with the time it came.

    In a session of its own, and whatever becomes of this process: a Ctrl-C here, or the pipe's end, must not
    keep it from letting the process go.
    """
    process = subprocess.Popen(  # noqa: S603 - found on PATH by name
        [gdb, "-nx", "-q", "-batch", "--readnever", "-x", _name(script)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[script, *data],
        env={name: value for name, value in os.environ.items() if name in ("PATH", "HOME")} | {"LC_ALL": "C"},
        start_new_session=True,
        restore_signals=False,  # SIGPIPE stays ignored
    )
    assert process.stdout is not None  # noqa: S101 - a pipe
    with process.stdout as output:
        try:
            lines = _lines(process, output.fileno(), pid)
        except KeyboardInterrupt:
            process.wait()  # a moment
            raise
    process.wait()
    return lines


def _lines(process: subprocess.Popen[bytes], output: int, pid: int) -> list[tuple[float, str]]:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    lines: list[tuple[float, str]] = []
    rest = b""
    while True:
        ready, _, _ = select.select([output], [], [], max(0.0, deadline - time.monotonic()))
        now = time.monotonic()
        if not ready:
            raise _stuck(process, pid, lines)
        part = os.read(output, 1 << 16)
        if not part:
            return [*lines, (now, rest.decode(errors="replace"))]
        *whole, rest = (rest + part).split(b"\n")
        lines += [(now, line.decode(errors="replace")) for line in whole]


def _stuck(process: subprocess.Popen[bytes], pid: int, lines: list[tuple[float, str]]) -> OutliveError:
    what = f"gdb has not done with process {pid} after {_PATIENCE_SECONDS:.0f} s"
    if any(line == _MARK + "calling" for _, line in lines):
        # Ended now, it would leave a thread in the middle of a call that returns to nowhere.
        return OutliveError(what, f"it goes on as pid {process.pid}", "wait for its end; don't kill it")
    process.kill()
    process.wait()
    return OutliveError(what, "the process does not stop, as if it waited for a disk", "try again later")


def _understood(said: list[tuple[float, str]], pid: int) -> Visit:
    """Make out what gdb did."""
    times = {line.removeprefix(_MARK).split()[0]: at for at, line in said if line.startswith(_MARK)}
    for _, line in said:
        words = line.removeprefix(_MARK).split()
        if line.startswith(_MARK) and words[0] in ("thread", "queued") and "left" in times:
            if int(words[1]):
                why = "it can't have one more thread" if words[0] == "thread" else "its queue is full"
                raise OutliveError(f"can't attach to process {pid}", why, "try again later")
            address = int(words[2]) + thread_start.TEXT_OFFSET
            return Visit(times["left"] - times["attaching"], words[0] == "queued", address)
    if "early" in times:
        raise OutliveError(f"can't attach to process {pid}", "its Python is not there yet, or no more")
    if "memory" in times:
        raise OutliveError(f"can't attach to process {pid}", "it gets no more memory")
    words = [line.strip() for _, line in said if line.strip() and not line.startswith(_MARK)]
    raise OutliveError(f"gdb can't attach to process {pid}", words[-1] if words else "it says nothing")


@contextmanager
def _file(content: bytes) -> Iterator[int]:
    """Have content in a file that has no place and no name, as nothing can stay of it."""
    handle = os.memfd_create("outlive")
    try:
        os.write(handle, content)
        yield handle
    finally:
        os.close(handle)


def _name(handle: int) -> str:
    return f"/proc/self/fd/{handle}"
