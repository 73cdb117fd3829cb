"""How text looks where it goes: colour and width on a terminal, neither elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """`width` 0: lines are as long as they are."""

    is_coloured: bool = False
    width: int = 0

    def strong(self, text: str) -> str:
        """Return what the eye is to find first."""
        return self._marked(text, "1")

    def faint(self, text: str) -> str:
        """Return what is there to be looked up."""
        return self._marked(text, "2")

    def bright(self, text: str) -> str:
        """Return text in the accent colour."""
        return self._marked(text, "36")

    def fit(self, line: str) -> str:
        """Return a plain line, cut off where the terminal ends."""
        if not self.width or len(line) <= self.width:
            return line
        return line[: self.width - 1] + "…"

    def _marked(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.is_coloured and text else text


def style_of_stdout() -> Style:
    """Return what suits standard output as it is; NO_COLOR (https://no-color.org) is respected."""
    if not sys.stdout.isatty():
        return Style()
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return Style(is_coloured=not plain, width=shutil.get_terminal_size().columns)


def left_out(number: int) -> str:
    """Say how many rows a limit left out."""
    return f"in {number:,} more (--limit shows more)"
