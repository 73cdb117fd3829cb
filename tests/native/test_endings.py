"""A recording says how its process ended, and the process ends as it would have without it."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from signal import SIGABRT, SIGALRM, SIGINT, SIGSEGV, SIGTERM
from typing import TYPE_CHECKING

import pytest

from outlive.model import layout

if TYPE_CHECKING:
    from pathlib import Path

PROLOGUE = """
import asyncio, ctypes, faulthandler, multiprocessing, os, signal, subprocess, sys, threading, time

def start():
    if sys.argv[1:]:
        import outlive
        outlive.start(recording=sys.argv[1])
"""

NULL = "ctypes.string_at(0)"
TERM = "os.kill(os.getpid(), signal.SIGTERM)"
HANDLE = "signal.signal(signal.SIGTERM, lambda *_: None)"

# Name: (program, state, exit status or signal).
WAYS = {
    "the end": ("start()", layout.EXITED, 0),
    "sys.exit": ("start(); sys.exit(3)", layout.EXITED, 3),
    "an exception": ("start(); 1 / 0", layout.EXITED, 1),
    "os._exit": ("start(); os._exit(259)", layout.EXITED, 3),
    "os._exit in a thread": (
        "start(); t = threading.Thread(target=os._exit, args=(5,)); t.start(); t.join()",
        layout.EXITED,
        5,
    ),
    "Ctrl-C": ("start(); os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", layout.SIGNALLED, SIGINT),
    "SIGTERM": (f"start(); {TERM}", layout.SIGNALLED, SIGTERM),
    "a timer": (
        "start(); signal.setitimer(signal.ITIMER_REAL, 0.01); time.sleep(9)",
        layout.SIGNALLED,
        SIGALRM,
    ),
    "a crash": (f"start(); {NULL}", layout.SIGNALLED, SIGSEGV),
    "a crash in a thread": (
        "start(); t = threading.Thread(target=ctypes.string_at, args=(0,)); t.start(); t.join()",
        layout.SIGNALLED,
        SIGSEGV,
    ),
    "faulthandler before": (f"faulthandler.enable(); start(); {NULL}", layout.SIGNALLED, SIGSEGV),
    "faulthandler after": (f"start(); faulthandler.enable(); {NULL}", layout.SIGNALLED, SIGSEGV),
    "abort": ("start(); os.abort()", layout.SIGNALLED, SIGABRT),
    "a fatal error": ("start(); ctypes.pythonapi.Py_FatalError(b'x')", layout.SIGNALLED, SIGABRT),
    "a handled signal": (f"start(); {HANDLE}; {TERM}; sys.exit(4)", layout.EXITED, 4),
    "a signal handled before": (f"{HANDLE}; start(); {TERM}; sys.exit(4)", layout.EXITED, 4),
    "a server that shuts down": (
        f"old = {HANDLE}; start(); {TERM}; signal.signal(signal.SIGTERM, old); {TERM}",
        layout.SIGNALLED,
        SIGTERM,
    ),
    "another program": ("start(); os.execv('/bin/true', ['true'])", layout.STOPPED, 0),
    "no such program": (
        """
        start()
        try:
            os.execv("/nonexistent", ["x"])
        except FileNotFoundError:
            sys.exit(6)
        """,
        layout.EXITED,
        6,
    ),
    "a child that is not": (
        """
        start()
        try:
            subprocess.run(["/nonexistent"])
        except FileNotFoundError:
            os.kill(os.getpid(), signal.SIGTERM)
        """,
        layout.SIGNALLED,
        SIGTERM,
    ),
    "a forked child that crashed": (
        """
        start()
        child = multiprocessing.get_context("fork").Process(target=ctypes.string_at, args=(0,))
        child.start(); child.join()
        sys.exit(-child.exitcode)
        """,
        layout.EXITED,
        SIGSEGV,
    ),
    "an event loop's handler, removed": (
        """
        start()
        async def main():
            loop = asyncio.get_running_loop()
            came = asyncio.Event()
            loop.add_signal_handler(signal.SIGTERM, came.set)
            os.kill(os.getpid(), signal.SIGTERM)
            await came.wait()
            loop.remove_signal_handler(signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
        asyncio.run(main())
        """,
        layout.SIGNALLED,
        SIGTERM,
    ),
}


def run(program: str, *recording: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROLOGUE + textwrap.dedent(program), *recording],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def ending(recording: Path) -> tuple[int, int]:
    """Read state and status from a recording's header."""
    head = recording.read_bytes()[: layout.HEADER_BYTES]
    *_, state, status, ended = layout.LIVE.unpack_from(head, layout.LIVE_OFFSET)
    assert (ended == 0) == (state == layout.RUNNING)
    return state, status


@pytest.mark.parametrize("name", WAYS)
def test_a_recording_says_how_its_process_ended(name: str, tmp_path: Path) -> None:
    program, state, status = WAYS[name]
    recording = tmp_path / "it.outlive"
    plain, recorded = run(program), run(program, str(recording))
    assert recorded.returncode == plain.returncode, recorded.stderr
    assert recorded.returncode == (-status if state == layout.SIGNALLED else status)
    assert recorded.stdout == plain.stdout
    # faulthandler lists one thread more: ours.
    assert recorded.stderr.splitlines()[:1] == plain.stderr.splitlines()[:1]
    assert ending(recording) == (state, status)


def test_nothing_is_said_of_a_death_that_nobody_can_see(tmp_path: Path) -> None:
    recording = tmp_path / "it.outlive"
    assert run("start(); os.kill(os.getpid(), signal.SIGKILL)", str(recording)).returncode == -9
    assert ending(recording) == (layout.RUNNING, 0)


def test_a_stopped_recording_stays_stopped(tmp_path: Path) -> None:
    recording = tmp_path / "it.outlive"
    program = f"start(); import outlive; outlive.stop(); {TERM}"
    assert run(program, str(recording)).returncode == -SIGTERM
    assert ending(recording) == (layout.STOPPED, 0)


def test_python_and_its_children_see_the_default_handlers(tmp_path: Path) -> None:
    done = run(
        """
        start()
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        assert signal.signal(signal.SIGTERM, signal.SIG_IGN) == signal.SIG_DFL
        assert signal.signal(signal.SIGTERM, signal.SIG_DFL) == signal.SIG_IGN
        del sys.modules["signal"], sys.modules["_signal"]
        import signal as anew  # asks the kernel
        assert anew.getsignal(anew.SIGTERM) == anew.SIG_DFL and anew.getsignal(anew.SIGINT) is None
        caught = "with open('/proc/self/status') as f: print([l for l in f if l.startswith('SigCgt')])"
        subprocess.run([sys.executable, "-c", caught], check=True)
        """,
        str(tmp_path / "it.outlive"),
    )
    assert done.returncode == 0, done.stderr
    plain = run("with open('/proc/self/status') as f: print([l for l in f if l.startswith('SigCgt')])")
    assert done.stdout == plain.stdout
