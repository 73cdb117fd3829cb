"""A row of figures as a row of eighth blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outlive.model.recording import Point

_BLOCKS = "▁▂▃▄▅▆▇█"


def rss_sparkline(timeline: Sequence[Point], width: int) -> str:
    """Return the course of RSS in at most `width` characters, each the peak of an equal span of time.

    The lowest block stands for the smallest figure, as RSS is never near 0; a span without a point is blank.
    """
    known = [
        (point.uptime, max(point.rss, point.rss_peak or 0)) for point in timeline if point.rss is not None
    ]
    if not known:
        return ""
    first, last = known[0][0], known[-1][0]
    cells: list[int | None] = [None] * min(width, len(known))
    for uptime, rss in known:
        share = (uptime - first) / (last - first) if last > first else 0.0
        cell = min(int(share * len(cells)), len(cells) - 1)
        cells[cell] = max(cells[cell] or 0, rss)
    seen = [rss for rss in cells if rss is not None]
    low, high = min(seen), max(seen)
    return "".join(" " if rss is None else _block(rss, low, high) for rss in cells)


def bars(figures: Sequence[float]) -> str:
    """Return figures as bars from 0 up; 0 itself is blank."""
    most = max(figures, default=0.0)
    return "".join(_block(figure, 0, most) if figure > 0 else " " for figure in figures)


def _block(figure: float, low: float, high: float) -> str:
    if high == low:
        return _BLOCKS[0]
    return _BLOCKS[min(int((figure - low) / (high - low) * len(_BLOCKS)), len(_BLOCKS) - 1)]
