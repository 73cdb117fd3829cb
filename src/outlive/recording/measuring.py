"""Asks a process that records to measure where its memory goes, now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.errors import OutliveError
from outlive.recording.asking import ask
from outlive.recording.reader import outline

if TYPE_CHECKING:
    from pathlib import Path

# It looks for requests once a second. There are its older figures to go on with: nobody waits long.
_TAKE_UP_SECONDS = 1.75
_ANSWER_SECONDS = 0.75


def measure(file: Path) -> None:
    """Have the process that writes this recording note how its memory divides.

    Raises:
        OutliveError: it could not be asked, can't measure, or did not answer.

    """
    said = ask(
        file,
        "measure",
        to="measure",
        answer_seconds=_ANSWER_SECONDS,
        patience_seconds=_TAKE_UP_SECONDS,
    )
    if not said.get("able"):
        raise OutliveError(f"process {outline(file).process.pid} could not measure its memory")
