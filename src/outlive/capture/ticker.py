"""The thread that looks at the process once a second.

Started below `threading`, so that the host's enumerate() and active_count() do not know it. It takes no
signal: one that a thread of the host's waits for must not end up here. Before each fork it ends, to come back
afterwards: a child never finds a lock that it held, and Python 3.12 and later do not warn of a process with
several threads.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found] # signal without enum
import gc
import os
import sys
from _thread import allocate_lock, get_native_id, start_new_thread
from time import monotonic, sleep

from outlive.capture.core import native

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 1.0
_LOOK_SECONDS = 50e-6
_PATIENCE_SECONDS = 1.0  # then the fork goes ahead beside it; it may be at a look that takes long
# What a thread raises by its own fault: blocked, it would kill without any handler's last word.
_OWN_FAULTS = {_signal.SIGSEGV, _signal.SIGBUS, _signal.SIGFPE, _signal.SIGILL, _signal.SIGABRT}
_BLOCKED = set(_signal.valid_signals()) - _OWN_FAULTS


class _Thread:
    """One thread: `wake` is released to end it, `number` is the kernel's, 0 until it runs."""

    __slots__ = ("number", "starter", "wake")

    def __init__(self) -> None:
        self.wake = allocate_lock()
        self.wake.acquire()
        self.number = 0
        self.starter = get_native_id()


_tick: Callable[[], bool] | None = None  # what is to be called; None: nothing
_thread: _Thread | None = None
_forks = 0  # under way


def start(tick: Callable[[], bool], delay_seconds: float = 0.0) -> None:
    """Call `tick` in a thread of its own, after the delay and then once a second, until it returns False."""
    global _tick  # noqa: PLW0603 - one thread a process
    stop()
    _tick = tick
    _begin(delay_seconds)


def stop() -> None:
    """End the thread; it is gone on return, unless it is in the middle of something long."""
    global _tick  # noqa: PLW0603 - one thread a process
    _tick = None
    _end()


def before_fork() -> None:
    """End the thread for now."""
    global _forks  # noqa: PLW0603 - one thread a process
    _forks += 1
    _end()


def after_fork_in_parent() -> None:
    """Bring the thread back."""
    global _forks  # noqa: PLW0603 - one thread a process
    _forks -= 1
    if sys.version_info >= (3, 13):
        # os.fork() counts threads only after this: the next collection is late enough.
        if _on_collection not in gc.callbacks:
            gc.callbacks.append(_on_collection)
    else:
        _begin(_SECONDS)


def after_fork_in_child() -> None:
    """Forget the thread, which the child never had."""
    global _tick, _thread, _forks  # noqa: PLW0603 - one thread a process
    _tick = _thread = None
    _forks = 0
    if _on_collection in gc.callbacks:
        gc.callbacks.remove(_on_collection)


def _on_collection(_phase: str, _info: dict[str, int]) -> None:
    if not _forks:
        gc.callbacks.remove(_on_collection)
        _begin(_SECONDS)


def _begin(delay_seconds: float) -> None:
    global _thread  # noqa: PLW0603 - one thread a process
    if _tick is None or _thread is not None or _forks:
        return
    thread = _Thread()
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, ())
    try:
        _signal.pthread_sigmask(_signal.SIG_BLOCK, _BLOCKED)  # what a thread inherits
        start_new_thread(_run, (thread, _tick, delay_seconds))
        _thread = thread
    except RuntimeError:  # no thread to be had, or the interpreter is about to end: no timeline then
        return
    finally:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)


def _end() -> None:
    global _thread
    thread, _thread = _thread, None
    if thread is None:
        return
    thread.wake.release()
    if thread.number in (thread.starter, get_native_id()):
        return
    end = monotonic() + _PATIENCE_SECONDS
    while monotonic() < end:
        if thread.number and not os.path.exists(f"/proc/self/task/{thread.number}"):  # noqa: PTH110 - light
            return
        sleep(_LOOK_SECONDS)


def _run(thread: _Thread, tick: Callable[[], bool], delay_seconds: float) -> None:
    """Tick until told to end. Says nothing, whatever happens: nobody asked for this thread's tracebacks."""
    try:
        thread.number = get_native_id()
        if thread.number != thread.starter:  # where another library makes greenlets of threads it is the same
            native.mute()
        if delay_seconds and thread.wake.acquire(True, delay_seconds):  # noqa: FBT003 - a lock's own
            return
        while _ticked(tick) and not thread.wake.acquire(True, _SECONDS):  # noqa: FBT003 - a lock's own
            pass
    except BaseException:  # noqa: BLE001 - the host may have raised it here
        return


def _ticked(tick: Callable[[], bool]) -> bool:
    try:
        return tick()
    except Exception:  # noqa: BLE001 - this one is lost; the next second may be better
        return True
