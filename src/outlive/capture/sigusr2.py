"""SIGUSR2 as a word from the operator, where a trigger asks for it and nobody else has taken it."""

from __future__ import annotations

import signal

from outlive.capture import proc
from outlive.capture.streams import say

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from types import FrameType

refusal = ""  # why it is not listened to

_came = False


def listen() -> None:
    """Listen to SIGUSR2 unless it has a handler, or is ignored; then one line on stderr says so."""
    global refusal  # noqa: PLW0603 - one disposition a process
    refusal = ""
    if signal.getsignal(signal.SIGUSR2) is _note:
        return
    if signal.getsignal(signal.SIGUSR2) is not signal.SIG_DFL or _is_handled_natively():
        refusal = "SIGUSR2 is left to the handler that it has already"
    else:
        try:
            signal.signal(signal.SIGUSR2, _note)
            signal.siginterrupt(signal.SIGUSR2, False)  # noqa: FBT003 - system calls of the program go on
        except ValueError:
            refusal = "SIGUSR2 can be listened to only if outlive is started in the main thread"
    if refusal:
        say(refusal)


def ignore() -> None:
    """Listen no more, if nobody has taken it over; the main thread only can do that."""
    if signal.getsignal(signal.SIGUSR2) is _note:
        try:
            signal.signal(signal.SIGUSR2, signal.SIG_DFL)
        except ValueError:
            return


def taken() -> bool:
    """Tell whether the signal came since the last call."""
    global _came
    came, _came = _came, False
    return came


def _note(_number: int, _frame: FrameType | None) -> None:
    global _came  # noqa: PLW0603 - as above
    _came = True


def _is_handled_natively() -> bool:
    """Whether somebody who is not Python handles it; call this before the core watches for deadly signals."""
    _, _, rest = proc.read("/proc/self/status", 8192).partition(b"\nSigCgt:")
    caught = rest.split(maxsplit=1)
    return bool(caught) and bool(int(caught[0], 16) >> (signal.SIGUSR2 - 1) & 1)
