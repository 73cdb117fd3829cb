"""Asks a process that records to give its free memory back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.errors import OutliveError
from outlive.model.breakdown import Trimmed
from outlive.recording.asking import TAKE_UP_SECONDS, ask
from outlive.recording.reader import outline

if TYPE_CHECKING:
    from pathlib import Path

_ANSWER_SECONDS = 60.0  # gigabytes in small pieces take their time


def trim(file: Path, patience_seconds: float = TAKE_UP_SECONDS) -> Trimmed:
    """Have the process that writes this recording trim.

    Raises:
        OutliveError: it could not be asked, can't trim, or did not answer.

    """
    said = ask(file, "trim", to="trim", answer_seconds=_ANSWER_SECONDS, patience_seconds=patience_seconds)
    before, after = said.get("rss_before"), said.get("rss_after")
    if not said.get("able") or not isinstance(before, int) or not isinstance(after, int):
        who = f"process {outline(file).process.pid}"
        raise OutliveError(f"{who} can't trim", "its malloc is not glibc's")
    return Trimmed(before, after)
