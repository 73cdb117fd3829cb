"""Stacks of one half: each names its frames, a frame its function, a function its texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.model import layout
from outlive.model.printable import printable
from outlive.model.recording import Frame, Stack
from outlive.recording.table import whole

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet


class Half:
    """The tables of a half that is in force, decoded as far as asked for.

    In a file that is whole neither two stacks nor two texts share bytes. Here they may not: no more is
    decoded than there is.
    """

    def __init__(self, data: bytes, stack_count: int, function_count: int, frame_count: int) -> None:
        """Divide `data`, which is long enough for all the counts."""
        functions = stack_count * layout.STACK.size
        frames = functions + function_count * layout.FUNCTION.size
        text = frames + frame_count * layout.FRAME.size
        self._stacks = data[:functions]
        self._functions = data[functions:frames]
        self._frames = data[frames:text]
        self._text = data[text:]
        self._frames_left = frame_count
        self._names: dict[int, str] = {}
        self._decoded: dict[tuple[int, int], Frame] = {}

    def stacks(self, live: AbstractSet[int], totals: bytes) -> tuple[dict[int, Stack], int]:
        """Return the stacks that are `live` or have allocated, and how many of them are damaged.

        Nobody's, number 0, has no frames; neither has a damaged one that is live. Others are left out.
        """
        found: dict[int, Stack] = {}
        damaged = 0
        for number, (allocated, blocks, late, deaths) in enumerate(layout.TOTAL.iter_unpack(totals)):
            if not (allocated or number in live):
                continue
            frames, cut = self._frames_of(number)
            figures = [whole(figure) for figure in (allocated, blocks, late, deaths)]
            damaged += frames is None or None in figures
            if frames is not None or number in live:
                known = [figure or 0.0 for figure in figures]
                found[number] = Stack(frames or (), known[0], known[1], cut, known[2], int(known[3]))
        return found, damaged

    def _frames_of(self, stack: int) -> tuple[tuple[Frame, ...] | None, bool]:
        """Return a stack's frames, None if they are damaged, and whether there were more."""
        if stack == 0:
            return (), False
        first, length = layout.STACK.unpack_from(self._stacks, stack * layout.STACK.size)
        count = length & ~layout.STACK_CUT
        end = first + count
        if count == 0 or end * layout.FRAME.size > len(self._frames) or count > self._frames_left:
            return None, False
        self._frames_left -= count
        packed = self._frames[first * layout.FRAME.size : end * layout.FRAME.size]
        try:
            frames = tuple(
                self._decoded.get(pair) or self._frame(*pair) for pair in layout.FRAME.iter_unpack(packed)
            )
        except IndexError:
            return None, False
        return frames, length != count

    def _frame(self, function: int, line: int) -> Frame:
        if (function + 1) * layout.FUNCTION.size > len(self._functions):
            raise IndexError(function)
        file, name, _ = layout.FUNCTION.unpack_from(self._functions, function * layout.FUNCTION.size)
        frame = Frame(self._name(name), self._name(file), line)
        self._decoded[function, line] = frame
        return frame

    def _name(self, start: int) -> str:
        """Return the text that begins at `start`, which the NUL of another one must precede."""
        if start not in self._names:
            if start >= len(self._text) or (start > 0 and self._text[start - 1]):
                raise IndexError(start)
            end = self._text.find(b"\0", start)
            text = self._text[start : end if end >= 0 else None]
            self._names[start] = printable(text.decode(errors="replace"))
        return self._names[start]
