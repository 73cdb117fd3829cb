"""Asks a process that records to do something, and waits for the answer in its notes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from outlive.capture import requests
from outlive.errors import OutliveError
from outlive.recording.processes import is_live
from outlive.recording.reader import outline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

POLL_SECONDS = 0.05
TAKE_UP_SECONDS = 10.0  # it looks once a second
_OTHERS_SECONDS = 2.0  # there is one request at a time
_CANCEL_SECONDS = 5.0


def ask(  # noqa: PLR0913 - what is asked, and how long to wait for it
    file: Path,
    *words: str,
    to: str,
    answer_seconds: float,
    patience_seconds: float = TAKE_UP_SECONDS,
    look: Callable[[], None] | None = None,
    cancel: bool = False,
) -> Mapping[str, object]:
    """Ask the process that writes this recording; return its answer.

    Args:
        file: the recording.
        words: the request; the first is also the notes' key of the answer.
        to: what is asked for, in words: "trim".
        answer_seconds: how long an answer may take once the request is taken up.
        patience_seconds: how long it may take to take the request up.
        look: called again and again while it waits.
        cancel: whether to have the process give it up, if this is interrupted.

    Raises:
        OutliveError: it could not be asked, or did not answer.

    """
    who = f"process {outline(file).process.pid}"
    deadline = time.monotonic() + patience_seconds
    number = _put(file, words, who, to, min(patience_seconds, _OTHERS_SECONDS))
    taken_up = False
    try:
        while True:
            if (said := _said(file, words[0], number)) is not None:
                return said
            if not is_live(outline(file)):
                raise OutliveError(f"{who} ended before it answered", hint=f"outlive postmortem {file}")
            if not taken_up and not requests.is_open(str(file)):
                taken_up, deadline = True, time.monotonic() + answer_seconds
            if time.monotonic() >= deadline:
                raise _silent(who, to, answer_seconds, taken_up=taken_up)
            if look is not None:
                look()
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        if cancel and not requests.is_open(str(file)):
            _cancel(file, words[0], number)
        raise
    finally:
        requests.withdraw(str(file))


def _put(file: Path, words: tuple[str, ...], who: str, to: str, patience_seconds: float) -> int:
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return requests.ask(str(file), *words)
        except FileExistsError:
            if time.monotonic() >= deadline:
                hint = f"wait for it; if it was killed: rm '{file}.request'"
                raise OutliveError(f"can't ask {who} to {to}", "somebody else is asking", hint) from None
        except OSError as error:
            hint = "ask as the user whose process it is, or as root"
            raise OutliveError(f"can't ask {who} to {to}", error.strerror or str(error), hint) from error
        time.sleep(POLL_SECONDS)


def _said(file: Path, key: str, number: int) -> Mapping[str, object] | None:
    """Return what the notes say of this request."""
    said = outline(file).process.notes.get(key)
    return said if isinstance(said, dict) and said.get("request") == number else None


def _cancel(file: Path, key: str, number: int) -> None:
    """Have the process give up, and wait until it did, for what it leaves then is all it will."""
    _put(file, ("cancel",), "the process", "stop", TAKE_UP_SECONDS)  # by then others have given up
    deadline = time.monotonic() + _CANCEL_SECONDS
    while _said(file, key, number) is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _silent(who: str, to: str, answer_seconds: float, *, taken_up: bool) -> OutliveError:
    if taken_up:
        why = f"it took the request up {answer_seconds:.0f} s ago"
        return OutliveError(f"{who} has not answered", why, "look again: outlive diagnose")
    why = "it is stopped, busy in C code that keeps the GIL, or records without a thread"
    return OutliveError(
        f"{who} did not take up the request to {to}", why, "nothing was changed; try again later"
    )
