"""Frames as people read them: short places, source lines, and words for what a stack lacks."""

from __future__ import annotations

import linecache
import stat
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from outlive.model.place import INSTALLED, STANDARD, short_path
from outlive.model.printable import printable
from outlive.model.recording import Frame

if TYPE_CHECKING:
    from outlive.model.recording import Recording, Stack

NO_PYTHON = Frame("(no Python line known)", "", 0)
CUT_OFF = Frame("(outer frames not kept)", "", 0)
# Of memory whose stack gave way to another one's since.
FORGOTTEN = Frame("(stacks not kept)", "", 0)

_SOURCE_BYTES_MAX = 4 << 20
_RUNPY = "<frozen runpy>"  # of python -m


def outwards(stack: Stack) -> tuple[Frame, ...]:
    """Return a stack's frames from the allocating one to the outermost; what is missing is a frame too.

    What started the program is left out: runpy, or `outlive run` and all that this was called by.
    """
    frames = stack.frames or (NO_PYTHON,)
    for at in range(1, len(frames)):
        if _is_launcher(frames[at].file):
            return frames[:at]
    if stack.cut:
        return (*frames, CUT_OFF)
    end = len(frames)
    while end > 1 and frames[end - 1].file == _RUNPY:
        end -= 1
    return frames[:end]


def inwards(stack: Stack) -> tuple[Frame, ...]:
    """Return `outwards` the other way round, from the outermost frame to the allocating one."""
    return outwards(stack)[::-1]


@lru_cache(maxsize=1 << 12)
def _is_launcher(file: str) -> bool:
    return file.endswith("/outlive/capture/program.py")


def innermost(stack: Stack) -> Frame:
    """Return the allocating line."""
    return stack.frames[0] if stack.frames else NO_PYTHON


def origin(frame: Frame) -> str:
    """Return whose code it is: "installed", "standard" (the library), "none", else "own"."""
    if not frame.file:
        return "none"
    if INSTALLED.match(frame.file):
        return "installed"
    return "standard" if STANDARD.match(frame.file) else "own"


def place(frame: Frame) -> str:
    """Return where a frame is: "app/cache.py:5", the file alone without a line, "" where no code is known."""
    return f"{short_path(frame.file)}:{frame.line}" if frame.line else short_path(frame.file)


def named(frame: Frame) -> str:
    """Return a frame, its place first, as tables have it: "app/cache.py:5 remember"."""
    return f"{place(frame)} {frame.function}".strip()


def label(frame: Frame) -> str:
    """Return a frame, its function first, as profilers have it: "remember (app/cache.py:5)"."""
    return f"{frame.function} ({place(frame)})" if frame.file else frame.function


class SourceLines:
    """Source text of frames, of files that are as they were when the recorded process began."""

    def __init__(self, recording: Recording) -> None:
        """Read nothing yet."""
        self._began = recording.process.began
        self._usable: dict[str, bool] = {}

    def line(self, frame: Frame) -> str:
        """Return a line's text, stripped; "" if it can't be known."""
        if frame.file not in self._usable:
            self._usable[frame.file] = self._is_usable(frame.file)
        if not self._usable[frame.file]:
            return ""
        return printable(linecache.getline(frame.file, frame.line).strip())

    def _is_usable(self, file: str) -> bool:
        """Whoever wrote the recording chose the name: only a plain source file of a sane size is opened."""
        if not (file.startswith("/") and file.endswith(".py")):
            return False
        try:
            found = Path(file).stat()
        except (OSError, ValueError):
            return False
        return (
            stat.S_ISREG(found.st_mode)
            and found.st_size <= _SOURCE_BYTES_MAX
            and found.st_mtime <= self._began
        )
