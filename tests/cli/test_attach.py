"""`outlive attach` on real processes that know nothing of outlive, whatever they are at."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import textwrap
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from outlive.attach import attaching, gdb, staging, target
from outlive.errors import OutliveError
from outlive.recording.folder import of_process
from tests.capture.recorded import until
from tests.cli.recorded import outlive
from tests.guards.checkout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(shutil.which("gdb") is None, reason="gdb is not installed")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

PATIENCE_SECONDS = 60

# Answers expressions, one a line, from the thread named.
ASKED = """
import sys

def answer():
    for line in sys.stdin:
        print(repr(eval(line)), flush=True)
"""
LOOP = (
    ASKED
    + """
import threading
threading.Thread(target=answer, daemon=True).start()
print("ready", flush=True)
kept = []
while True:
    kept.append(bytearray(700))
    if len(kept) > 100_000:
        kept.clear()
"""
)
SLEEP = (
    ASKED
    + """
import threading, time
threading.Thread(target=answer, daemon=True).start()
print("ready", flush=True)
time.sleep(3600)
print("woken", flush=True)
"""
)
READ = ASKED + 'print("ready", flush=True)\nanswer()\n'
THREADS = """
import threading, time
threads = [threading.Thread(target=time.sleep, args=(3600,), daemon=True) for _ in range(50)]
for thread in threads:
    thread.start()
print("ready", flush=True)
threads[0].join()
"""
SERVICE = """
import asyncio

async def answer(reader, writer):
    writer.write((await reader.readline()).upper())
    await writer.drain()
    writer.close()

async def main():
    server = await asyncio.start_unix_server(answer, "socket")
    print("ready", flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
# One call into C that runs on until the first byte of the file is another one, and keeps the GIL.
IN_C = """
import itertools, mmap, sys
with open("stop", "r+b") as file:
    byte = mmap.mmap(file.fileno(), 1)
print("ready", flush=True)
next(filter(byte.__getitem__, itertools.repeat(0)))
print("outlive" in sys.modules, flush=True)
"""
# A system call that waits, with the GIL kept.
WAITS_WITH_GIL = """
import ctypes, sys, time
print("ready", flush=True)
ctypes.PyDLL(None).read(0, ctypes.create_string_buffer(1), ctypes.c_size_t(1))
time.sleep(0.5)  # without the GIL: whoever waits for it has it now
print("outlive" in sys.modules, flush=True)
"""

# The first lines of a program that has outlive.
IMPORTED = f"import site\nsite.addsitedir({sysconfig.get_path('purelib')!r})\nimport outlive\n"


class Running:
    """A process that runs a program."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.pid = process, process.pid

    def ask(self, expression: str) -> Any:  # noqa: ANN401 - whatever the expression gives
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{expression}\n")
        self.process.stdin.flush()
        return ast.literal_eval(self.process.stdout.readline())

    def status(self, name: str) -> str:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:"))


@contextmanager
def running(source: str, folder: Path, *before: str, python: str = sys.executable) -> Iterator[Running]:
    """Run a program that can't import outlive by itself, for as long as the block, from when it is ready."""
    process = subprocess.Popen(
        [*before, python, "-I", "-S", "-c", textwrap.dedent(source)],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Running(process)
        assert process.poll() is None, "it did not live through it"
    finally:
        process.kill()
        process.wait(PATIENCE_SECONDS)
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def attach(pid: int, *words: str) -> dict[str, Any]:
    done = outlive("attach", "--json", pid, *words)
    assert (done.returncode, done.stderr) == (0, b""), done
    document: dict[str, Any] = json.loads(done.stdout)
    assert (document["schema"], document["pid"]) == (1, pid)
    return document


def refused(pid: int | str, *words: str) -> str:
    """Return what outlive says that refuses."""
    done = outlive("attach", pid, *words)
    assert (done.returncode, done.stdout) == (3, b""), done
    said = done.stderr.decode()
    assert said.startswith("outlive: ")
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize("source", [LOOP, SLEEP, READ, THREADS], ids=["loop", "sleep", "read", "threads"])
def test_started_watched_and_taken_out_again(source: str, tmp_path: Path) -> None:
    with running(source, tmp_path) as program:
        began = attach(program.pid, "--interval", "16 KiB")
        assert began["state"] == "started"
        assert 0 < began["still_seconds"] < PATIENCE_SECONDS
        assert began["recording"] == str(of_process(program.pid))
        top = json.loads(outlive("top", "--json", program.pid).stdout)
        assert (top["pid"], top["interval_bytes"]) == (program.pid, 16 << 10)

        again = attach(program.pid)
        assert (again["state"], again["recording"]) == ("already", began["recording"])

        ended = attach(program.pid, "--detach")
        assert (ended["state"], ended["recording"]) == ("stopped", began["recording"])
        assert Path(began["recording"]).exists()
        with pytest.raises(OutliveError, match="does not run outlive"):
            of_process(program.pid)
        assert attach(program.pid, "--detach")["state"] == "absent"

        assert attach(program.pid)["state"] == "started"


def test_an_idle_service_keeps_its_sleep_and_still_answers(tmp_path: Path) -> None:
    with running(SERVICE, tmp_path) as service:
        assert attach(service.pid)["state"] == "started"
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "socket"))
            client.sendall(b"hello\n")
            assert client.recv(100) == b"HELLO\n"
        held = json.loads(outlive("why", "--json", "asyncio.base_events.Server", service.pid).stdout)
        assert {holder["count"] for holder in held["holders"]} == {1}
        assert attach(service.pid, "--detach")["state"] == "stopped"


# What of a process could tell that outlive was there. Allocators are of the domains RAW, MEM and OBJ.
TRACES = {
    "allocators": "[(__import__('ctypes').pythonapi.PyMem_GetAllocator(d, a), list(a))[1] "
    "for d in range(3) for a in [(__import__('ctypes').c_void_p * 5)()]]",
    "modules": "[name for name in sys.modules if 'outlive' in name]",
    "path": "sys.path, str(sys.meta_path), str(sys.path_hooks), "
    "[p for p in sys.path_importer_cache if 'outlive' in p]",
    "names": "sorted(vars(sys.modules['__main__']))",
    "objects": "__import__('gc').collect() * [] + [str(o) for o in __import__('gc').get_objects() "
    "if str(type(o).__module__).startswith('outlive')]",
    "collector": "str(__import__('gc').callbacks)",
    "descriptors": "len(__import__('os').listdir('/proc/self/fd'))",
    "import": "__import__('importlib.machinery').machinery.SourceFileLoader.get_code.__module__, "
    "__import__('importlib.machinery').machinery.ExtensionFileLoader.exec_module.__module__",
    # 33 is libc's own, from the first thread on
    "signals": "[int(line.split()[1], 16) & ~(1 << 32) for line in open('/proc/self/status') if line[:4] in "
    "('SigB', 'SigI', 'SigC')]",
    "threads": "__import__('threading').active_count(), len(__import__('os').listdir('/proc/self/task'))",
}


FORKED = (
    "(lambda os: (lambda pid: os.waitpid(pid, 0)[1] if pid else os._exit(7))(os.fork()))(__import__('os'))"
)


@pytest.mark.parametrize("source", [SLEEP, READ], ids=["another thread", "the first thread"])
def test_detaching_leaves_nothing(source: str, tmp_path: Path) -> None:
    with running(source, tmp_path) as program:
        for expression in TRACES.values():
            program.ask(expression)  # what they import themselves
        for _ in range(2):
            before = {name: program.ask(expression) for name, expression in TRACES.items()}
            attach(program.pid)
            meanwhile = {name: program.ask(expression) for name, expression in TRACES.items()}
            attach(program.pid, "--detach")
            after = {name: program.ask(expression) for name, expression in TRACES.items()}
            assert after == before
            assert meanwhile["path"][:3] == before["path"][:3]
            assert meanwhile["names"] == before["names"]
            assert meanwhile["allocators"] != before["allocators"]  # the looks do see outlive
            assert meanwhile["modules"]
        assert program.ask(FORKED) == 7 << 8  # hooks of forks can't be taken back


def test_what_the_program_started_itself_stays(tmp_path: Path) -> None:
    source = f"{IMPORTED}outlive.start()\n{SLEEP}"
    with running(source, tmp_path) as program:
        assert attach(program.pid)["state"] == "already"
        assert "the program started it itself" in refused(program.pid, "--detach")
        assert of_process(program.pid).exists()


def test_an_outlive_that_the_program_has_imported_is_used_and_kept(tmp_path: Path) -> None:
    source = f"{IMPORTED}{SLEEP}"
    with running(source, tmp_path) as program:
        assert attach(program.pid)["state"] == "started"
        assert attach(program.pid, "--detach")["state"] == "stopped"
        assert program.ask("sys.modules['outlive'] is outlive")


def test_what_cannot_start_there_is_said_and_gone(tmp_path: Path) -> None:
    with running(
        "import sys\nsys.modules['select'] = sys.modules['atexit'] = None\n" + SLEEP, tmp_path
    ) as program:
        assert "import of atexit halted" in refused(program.pid)
        assert program.ask(TRACES["modules"]) == []


def fail_to_attach(pid: int) -> None:
    with pytest.MonkeyPatch.context() as impatient:
        impatient.setattr(attaching, "_PATIENCE_SECONDS", 0.5)
        impatient.setattr(attaching, "_AGAIN_SECONDS", (0.2,))
        with pytest.raises(OutliveError, match="no safe point"):
            attaching.attach(pid, 1 << 17, native=False)


def test_busy_in_c_with_the_gil(tmp_path: Path) -> None:
    (tmp_path / "stop").write_bytes(b"\0")
    with running(IN_C + "input()", tmp_path) as program:
        fail_to_attach(program.pid)
        with (tmp_path / "stop").open("r+b") as file:
            file.write(b"\1")
        assert program.process.stdout is not None
        assert program.process.stdout.readline() == "False\n"  # what was queued does nothing any more
        assert attaching.attach(program.pid, 1 << 17, native=False).state == "started"


def test_waiting_with_the_gil(tmp_path: Path) -> None:
    with running(WAITS_WITH_GIL + "input()", tmp_path) as program:
        fail_to_attach(program.pid)
        assert program.process.stdin is not None
        assert program.process.stdout is not None
        program.process.stdin.write("x")
        program.process.stdin.flush()
        assert program.process.stdout.readline() == "False\n"
        assert attaching.attach(program.pid, 1 << 17, native=False).state == "started"


def other_pythons() -> list[tuple[str, str]]:
    """Version and path of Pythons on this machine that are not of this version."""
    found = subprocess.run([ROOT / "script" / "pythons"], capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t")[:2] for line in found.splitlines()]
    mine = "{}.{}.".format(*sys.version_info)
    return [(version, path) for version, path in rows if not version.startswith(mine)]


def test_another_version_of_python(tmp_path: Path) -> None:
    others = other_pythons()
    if not others:
        pytest.skip("there is no other Python")
    version, path = others[0]
    with running(SLEEP, tmp_path, python=path) as program:
        said = refused(program.pid)
        assert f"it runs Python {version.rpartition('.')[0]}, and this outlive belongs to " in said
        assert f"{os.path.realpath(path)} -m outlive attach {program.pid}" in said
        assert program.ask(TRACES["modules"]) == []


def test_no_python(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "3600"], cwd=tmp_path) as process:
        assert "is no Python program: it runs sleep" in refused(process.pid)
        process.kill()


def test_nobody_a_thread_a_zombie_and_oneself(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as process:
        until(lambda: Path(f"/proc/{process.pid}/stat").read_text().split()[2] == "Z")
        assert "has ended" in refused(process.pid)
    assert "there is no process" in refused(process.pid)
    with running(THREADS, tmp_path) as program:
        thread = max(int(task.name) for task in Path(f"/proc/{program.pid}/task").iterdir())
        assert f"type: outlive attach {program.pid}" in refused(thread)
    with pytest.raises(OutliveError, match="itself"):
        attaching.attach(os.getpid(), 1 << 17, native=False)


def test_stopped(tmp_path: Path) -> None:
    with running(SLEEP, tmp_path) as program:
        os.kill(program.pid, signal.SIGSTOP)
        until(lambda: program.status("State").startswith("T"))
        assert f"kill -CONT {program.pid}" in refused(program.pid)
        os.kill(program.pid, signal.SIGCONT)
        until(lambda: program.status("State").startswith("S"))
        assert attach(program.pid)["state"] == "started"


def test_in_a_debugger_already(tmp_path: Path) -> None:
    with running(SLEEP, tmp_path) as program:
        words = ["gdb", "-nx", "-q", "-p", str(program.pid)]
        with subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as debugger:
            until(lambda: program.status("TracerPid") != "0")
            assert f"is being debugged: by gdb, pid {debugger.pid}" in refused(program.pid)
            debugger.communicate(b"detach\nquit\n", PATIENCE_SECONDS)
        assert attach(program.pid)["state"] == "started"


def test_without_gdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(SLEEP, tmp_path) as program:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert "apt-get install gdb" in refused(program.pid)


@pytest.mark.parametrize(
    "words", [("--interval", "no"), ("--native", "--detach"), ("--interval", "1 KiB", "--detach")]
)
def test_bad_usage(words: tuple[str, ...]) -> None:
    assert outlive("attach", os.getpid(), *words).returncode == 2


@as_root
def test_without_the_right(tmp_path: Path) -> None:
    with running(SLEEP, tmp_path) as program:
        out, into = os.pipe()
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            try:
                target.look(program.pid)
            except OutliveError as error:
                os.write(into, str(error).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(into)
        with os.fdopen(out) as said:
            text = said.read()
        assert "belongs to user 0" in text
        assert f"sudo outlive attach {program.pid}" in text


@as_root
def test_a_container_that_lacks_outlive(tmp_path: Path) -> None:
    hide = "".join(f"mount -t tmpfs none '{folder}' && " for folder in staging.folders())
    container = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", f'{hide}exec "$0" "$@"']
    if subprocess.run([*container, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no container can be made here")
    with running(SLEEP, tmp_path, *container) as outside:
        children = Path(f"/proc/{outside.pid}/task/{outside.pid}/children").read_text().split()
        pid = int(children[0])
        assert attach(pid)["state"] == "started"
        (home,) = {
            Path(name).parent for name in outside.ask("[m.__file__ for m in [sys.modules['outlive']]]")
        }
        assert home.name.startswith("outlive-attach-")
        assert attach(pid, "--detach")["state"] == "stopped"
        assert not home.exists()  # the folder for temporary files is the same here


# gdb, but at the end of its attaching it does something else first.
WRAPPED = """#!/bin/sh
for last; do :; done
sed 's/^echo ~ calling.*/shell {command}/' "$last" > {folder}/script
exec {gdb} -nx -q -batch --readnever -x {folder}/script
"""


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
@pytest.mark.parametrize(("said", "ends"), [("attaching", True), ("calling", False)])
def test_a_gdb_that_hangs(said: str, ends: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a parameter
    """Before its call it is ended; in the midst of it, it is not: that would crash the process."""
    wrapper, pid_file = tmp_path / "gdb", tmp_path / "pid"
    wrapper.write_text(f"#!/bin/sh\necho $$ > {pid_file}\necho '~ {said}'\nexec sleep 600\n")
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(gdb, "_PATIENCE_SECONDS", 1.0)
    with running(SLEEP, tmp_path) as program:
        with pytest.raises(OutliveError, match="gdb has not done"):
            attaching.attach(program.pid, 1 << 17, native=False)
        debugger = Path(f"/proc/{pid_file.read_text().strip()}")
        assert debugger.exists() is not ends
        if not ends:
            os.kill(int(debugger.name), signal.SIGKILL)


@pytest.mark.parametrize("victim", ["gdb", "outlive"])
@pytest.mark.parametrize("source", [SLEEP, LOOP], ids=["sleep", "loop"])
def test_killed_midway(victim: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrapper = tmp_path / "bin" / "gdb"
    wrapper.parent.mkdir()
    # The shell's parent is gdb, and gdb's is outlive.
    parent = "$PPID" if victim == "gdb" else '$(cut -d" " -f4 \\/proc\\/$PPID\\/stat)'
    wrapper.write_text(WRAPPED.format(command=f"kill -9 {parent}", folder=tmp_path, gdb=shutil.which("gdb")))
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}")
    with running(source, tmp_path) as program:
        done = outlive("attach", program.pid)
        assert done.returncode == (3 if victim == "gdb" else -signal.SIGKILL), done
        until(lambda: program.status("TracerPid") == "0")
        assert program.ask("40 + 2") == 42
        monkeypatch.undo()
        assert attach(program.pid)["state"] in ("started", "already")
