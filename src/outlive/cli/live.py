"""The live line of a long run: elapsed time and RSS on the terminal, from a process of its own.

A thread here would be visible to the program (threading.enumerate, fork warnings) and allocate in its heap. The process
is an orphan on purpose: a child could be reaped by the program's own os.wait().
"""

from __future__ import annotations

import os
import subprocess
import sys

_QUIET_SECONDS = 2

# Ends when the pipe on its stdin is written to or closed, or the process watched is gone.
_TICKER = f"""
import os, select, sys, time
if os.fork():
    os._exit(0)
pid, started, peak = int(sys.argv[1]), time.monotonic(), 0
wait = {_QUIET_SECONDS}
while not select.select([0], [], [], wait)[0]:
    wait = 0.5
    try:
        with open(f"/proc/{{pid}}/status") as status:
            sizes = dict(line.split(":", 1) for line in status)
        rss, peak = (int(sizes[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
    except (OSError, KeyError):
        break
    clock = time.monotonic() - started
    sys.stderr.write(f"\\r\\033[Koutlive: {{clock:.0f}} s · RSS {{rss:.1f}} MiB · peak {{peak:.1f}} MiB")
    sys.stderr.flush()
if wait < {_QUIET_SECONDS}:
    sys.stderr.write("\\r\\033[K")
    sys.stderr.flush()
os.write(1, b".")
"""


class LiveLine:
    """Shows itself from the third second on, if stderr is a terminal."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._pipes: tuple[int, int] | None = None

    def start(self) -> None:
        """Begin to show; does nothing if stderr is not a terminal."""
        if not sys.stderr.isatty():
            return
        stop_read, stop_write = os.pipe()
        done_read, done_write = os.pipe()
        try:
            subprocess.run(
                [sys.executable, "-I", "-S", "-c", _TICKER, str(os.getpid())],
                stdin=stop_read,
                stdout=done_write,
                check=True,
                start_new_session=False,
            )
        finally:
            os.close(stop_read)
            os.close(done_write)
        self._pipes = (stop_write, done_read)

    def stop(self) -> None:
        """Wipe the line and wait until nothing more will be written."""
        if self._pipes is None:
            return
        stop_write, done_read = self._pipes
        self._pipes = None
        try:
            os.write(stop_write, b".")  # closing would not do: a forked child may hold the other copy
            os.read(done_read, 1)
            os.close(stop_write)
            os.close(done_read)
        except OSError:
            pass  # the program closed all files, as daemons do, or the ticker was killed
