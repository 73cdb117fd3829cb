"""The live line of a long run: elapsed time and RSS on the terminal, from a process of its own.

A thread here would be visible to the program (threading.enumerate, fork warnings) and allocate in its heap.
The process is an orphan on purpose: a child could be reaped by the program's own os.wait().
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

_QUIET_SECONDS = 2
_STOP_SECONDS = 1

# Ends when the pipe on its stdin is written to or closed, or the process watched is gone: its stdout closes.
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
"""


class LiveLine:
    """Shows itself from the third second on, if stderr is a terminal."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._pipes: list[tuple[int, os.stat_result]] = []

    def start(self) -> None:
        """Begin to show; does nothing if stderr is not a terminal, or no process can be had for it."""
        if sys.stderr is None or not sys.stderr.isatty():
            return
        import signal
        import subprocess

        stop_read, stop_write = os.pipe()
        done_read, done_write = os.pipe()
        # Inherited by the ticker: Ctrl-C is for the program alone.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            subprocess.run(  # noqa: S603 - ourselves
                [sys.executable, "-I", "-S", "-c", _TICKER, str(os.getpid())],
                stdin=stop_read,
                stdout=done_write,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            os.close(stop_write)
            os.close(done_read)
        else:
            self._pipes = [(pipe, os.fstat(pipe)) for pipe in (stop_write, done_read)]
        finally:
            os.close(stop_read)
            os.close(done_write)
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def stop(self) -> None:
        """Wipe the line and wait until nothing more will be written."""
        pipes, self._pipes = self._pipes, []
        try:
            if not pipes or not all(os.path.samestat(os.fstat(pipe), then) for pipe, then in pipes):
                return  # the program closed all files, as daemons do; others may have their numbers now
        except OSError:
            return
        import select

        (stop_write, _), (done_read, _) = pipes
        with suppress(BrokenPipeError):  # the ticker was killed
            os.write(stop_write, b".")  # closing would not do: a forked child may hold the other copy
        select.select([done_read], [], [], _STOP_SECONDS)  # or stopped
        os.close(stop_write)
        os.close(done_read)
