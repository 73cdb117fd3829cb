"""Which line of a stack a finding names: the program's own that had the block made."""

from __future__ import annotations

import linecache
import re
from typing import TYPE_CHECKING

from outlive.model.finding import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outlive.model.recording import Frame

# The standard library, what was installed, and what has no file.
_NOT_THE_PROGRAMS = re.compile(r"/(site|dist)-packages/|/lib/python3[.][0-9]+/|^<|^$|/outlive/capture/")
_LIBRARY = re.compile(r".*/(?:site-packages|dist-packages|lib/python3[.][0-9]+)/([^/.]+)")
_STANDARD = re.compile(r"/lib/python3[.][0-9]+/(?!(site|dist)-packages/)|^<|^$")


def is_programs(frame: Frame) -> bool:
    """Return whether a frame is of the program itself, not of a library."""
    return not _NOT_THE_PROGRAMS.search(frame.file)


def is_standard(frame: Frame) -> bool:
    """Return whether a frame is of the standard library, or has no file."""
    return bool(_STANDARD.search(frame.file))


def library(frame: Frame) -> str:
    """Return a frame's package or module if it is the standard library's or installed, else ""."""
    found = _LIBRARY.match(frame.file)
    return found[1] if found else ""


def own_frame(frames: Sequence[Frame]) -> Frame | None:
    """Return the innermost frame of the program's own code, else the innermost; None without any."""
    return next(filter(is_programs, frames), frames[0] if frames else None)


def source(frame: Frame) -> str:
    """Return the text of a frame's line, "" where it can't be read."""
    return linecache.getline(frame.file, frame.line).strip() if frame.line else ""


def place(frame: Frame | None) -> Place | None:
    """Return a frame as findings name it."""
    return None if frame is None else Place(frame.file, frame.line, frame.function, source(frame))
