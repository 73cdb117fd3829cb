"""Long paths made short, what repeats said once: `Node.next → … 999,990 × .next … → Node`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from outlive.heap.nouns import Word, word
from outlive.heap.words import join

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from outlive.heap.columns import Columns

_PERIOD_OBJECTS_MAX = 8
_PERIOD_SEGMENTS_MAX = 3
_REPEATS_MIN = 4  # fewer are said one by one
_ENDS = 24  # objects said at both ends if nothing repeats


class Gap(NamedTuple):
    """References of a path that are left out, `start` to before `stop`; period 0 if nothing repeats."""

    start: int
    stop: int
    period: int

    @property
    def repeats(self) -> int:
        """How often the period is left out."""
        return (self.stop - self.start) // self.period if self.period else 0


def gap(columns: Columns, objects: NDArray[Any], edges: NDArray[Any], inner: NDArray[np.bool_]) -> Gap:
    """Return what to leave out of a long path.

    Args:
        columns: the snapshot.
        objects: on the path.
        edges: one less; `edges[i]` leads from `objects[i]`.
        inner: by category, whether an object is never said for itself.

    """
    sources = objects[:-1]
    shapes = columns.shape[sources].astype(np.int64)
    place = edges.astype(np.int64) - columns.first[sources]
    named = columns.shapes["named"][shapes].astype(np.int64)
    # Indices and keys don't matter, but keys and values are not the same.
    place = np.where(place < named, place, named + (place - named) % 2)
    kinds = shapes * (1 << 17) + place
    said = ~inner[columns.shape_category[shapes]]
    middle = len(kinds) // 2
    for period in range(1, _PERIOD_OBJECTS_MAX + 1):
        same = kinds[period:] == kinds[:-period]
        if not same[middle - _ENDS : middle + _ENDS].all():
            continue
        different = np.flatnonzero(~same)
        at = int(np.searchsorted(different, middle))
        start = int(different[at - 1]) + 1 if at else 0
        stop = (int(different[at]) if at < len(different) else len(same)) + period
        while start < stop and not said[start]:
            start += 1
        repeats = (stop - start) // period - 2  # one is said before, one after
        if repeats >= _REPEATS_MIN:
            return Gap(start + period, start + period * (repeats + 1), period)
    start, stop = _ENDS, len(edges) - _ENDS
    while start < stop and not said[start]:
        start += 1
    while stop > start and not said[stop]:
        stop -= 1
    return Gap(start, stop, 0)


def collapse(words: Sequence[Word]) -> list[Word]:
    """Return words in which what repeats is said once before and once after how often."""
    segments = _segments(words)
    shown: list[Word] = []
    at = 0
    while at < len(segments):
        period, repeats = _run(segments, at)
        if repeats < _REPEATS_MIN:
            shown += segments[at]
            at += 1
            continue
        once = segments[at : at + period]
        last = segments[at + period * (repeats - 1) : at + period * repeats]
        shown += [one for segment in once for one in segment]
        shown.append(elided(repeats - 2, [one for segment in once for one in segment]))
        shown += [one for segment in last for one in segment]
        at += period * repeats
    return shown


def elided(repeats: int, period: Sequence[Word]) -> Word:
    """Return the word for what is left out."""
    segments = _segments(period)
    glued = [one for one in period if one.glued]
    if len(segments) == 1 and glued:
        said = join([one.many or one.text for one in glued])
    else:
        said = join([one.many or one.text for one in period])
        said = f"({said})" if len(segments) > 1 else said
    return word(f"… {repeats:,} × {said} …", alike="…")


def signature(words: Sequence[Word]) -> tuple[str, ...]:
    """Return what paths have in common that differ in addresses, indices, keys and repetitions only."""
    segments = [
        tuple(one.alike for one in segment) for segment in _segments(words) if segment[0].alike != "…"
    ]
    alike: list[tuple[str, ...]] = []
    for segment in segments:
        alike.append(segment)
        for period in range(1, _PERIOD_SEGMENTS_MAX + 1):
            if alike[-period:] == alike[-2 * period : -period]:
                del alike[-period:]
                break
    return tuple(one for segment in alike for one in (*segment, "→"))


def _segments(words: Sequence[Word]) -> list[list[Word]]:
    """Return words by what stands close together."""
    segments: list[list[Word]] = []
    for one in words:
        if segments and (one.glued or segments[-1][-1].open):
            segments[-1].append(one)
        else:
            segments.append([one])
    return segments


def _run(segments: Sequence[Sequence[Word]], at: int) -> tuple[int, int]:
    """Return by which period segments repeat from `at` on, and how often."""
    alike = [tuple(one.alike for one in segment) for segment in segments[at:]]
    best = (1, 1)
    for period in range(1, _PERIOD_SEGMENTS_MAX + 1):
        repeats = 1
        while alike[:period] == alike[repeats * period : (repeats + 1) * period]:
            repeats += 1
        if repeats * period > best[0] * best[1] and repeats >= _REPEATS_MIN:
            best = (period, repeats)
    return best
