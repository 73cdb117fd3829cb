"""Asks a process that records to give its free memory back, and waits for the answer in its notes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from outlive.capture import requests
from outlive.errors import OutliveError
from outlive.model.breakdown import Trimmed
from outlive.recording.processes import is_live
from outlive.recording.reader import outline

if TYPE_CHECKING:
    from pathlib import Path

_POLL_SECONDS = 0.05
_TAKE_UP_SECONDS = 10.0  # it looks once a second
_ANSWER_SECONDS = 60.0  # gigabytes in small pieces take their time


def trim(file: Path, patience_seconds: float = _TAKE_UP_SECONDS) -> Trimmed:
    """Have the process that writes this recording trim.

    Raises:
        OutliveError: it could not be asked, can't trim, or did not answer.

    """
    who = f"process {outline(file).process.pid}"
    try:
        request = requests.ask(str(file))
    except FileExistsError:
        hint = f"wait for it; if it was killed: rm '{file}.request'"
        raise OutliveError(f"can't ask {who} to trim", "somebody else is asking", hint) from None
    except OSError as error:
        hint = "ask as the user whose process it is, or as root"
        raise OutliveError(f"can't ask {who} to trim", error.strerror or str(error), hint) from error
    taken_up = False
    try:
        deadline = time.monotonic() + patience_seconds
        while True:
            recording = outline(file)
            if (answer := _answer(recording.process.notes.get("trim"), request, who)) is not None:
                return answer
            if not is_live(recording):
                raise OutliveError(f"{who} ended before it answered", hint=f"outlive postmortem {file}")
            if not taken_up and not requests.is_open(str(file)):
                taken_up, deadline = True, time.monotonic() + _ANSWER_SECONDS
            if time.monotonic() >= deadline:
                raise _silent(who, taken_up=taken_up)
            time.sleep(_POLL_SECONDS)
    finally:
        requests.withdraw(str(file))


def _answer(said: object, request: int, who: str) -> Trimmed | None:
    """Return what the notes say of this request."""
    if not isinstance(said, dict) or said.get("request") != request:
        return None
    if not said.get("able"):
        raise OutliveError(f"{who} can't trim", "its malloc is not glibc's")
    before, after = said.get("rss_before"), said.get("rss_after")
    return Trimmed(before, after) if isinstance(before, int) and isinstance(after, int) else None


def _silent(who: str, *, taken_up: bool) -> OutliveError:
    if taken_up:
        why = f"it took the request up {_ANSWER_SECONDS:.0f} s ago"
        return OutliveError(f"{who} has not answered", why, "look again: outlive diagnose")
    why = "it is stopped, busy in C code that keeps the GIL, or records without a thread"
    return OutliveError(
        f"{who} did not take up the request to trim", why, "nothing was changed; try again later"
    )
