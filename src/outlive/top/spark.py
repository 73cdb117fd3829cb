"""Sparklines: a figure over time in the height of a line or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.model.size import mib
from outlive.top import words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outlive.model.recording import Point

FIGURES: tuple[tuple[str, Callable[[Point], int | None]], ...] = (
    ("RSS", lambda point: point.rss),
    ("Python", lambda point: point.python_in_use),
)

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_FLAT = 0.1  # a range smaller than this part of the figure is drawn in one as large: noise is no cliff
_STALE_SECONDS = 10  # what takes long to measure is measured seldom
_MISSED = 2.5  # points in a row that may be missing before there is a gap


def columns(
    points: Sequence[Point], figure: Callable[[Point], int | None], seconds: float, width: int
) -> list[int | None]:
    """Return the largest figure in each of `width` equal parts of the last `seconds`; None: nothing known."""
    known = [(point.uptime, value) for point in points if (value := figure(point)) is not None]
    found: list[int | None] = [None] * width
    if not known or width < 1:
        return found
    end = points[-1].uptime
    start = end - seconds
    shown = [(time, value) for time, value in known if time >= start]
    part = seconds / width
    for time, value in shown:
        at = min(width - 1, int((time - start) / part))
        found[at] = max(found[at] or 0, value)
    # A part without a point of its own shows the one before, unless points are missing there.
    spacing = (shown[-1][0] - shown[0][0]) / (len(shown) - 1) if len(shown) > 1 else part
    reach = round(_MISSED * max(spacing, part) / part)
    last = -reach - 1
    for at, here in enumerate(list(found)):
        if here is not None:
            last = at
        elif at - last < reach:
            found[at] = found[last]
    return found


def draw(values: Sequence[int | None], height: int = 1) -> list[str]:
    """Return the values as `height` lines of blocks: the smallest at the bottom, the largest on top."""
    known = [value for value in values if value is not None]
    if not known:
        return [" " * len(values)] * height
    bottom, top = float(min(known)), float(max(known))
    margin = max(0.0, top * _FLAT - (top - bottom)) / 2
    bottom, top = bottom - margin, top + margin
    steps = height * 8 - 1
    heights = [
        0 if value is None else 1 + round(steps * (value - bottom) / ((top - bottom) or 1))
        for value in values
    ]
    return [
        "".join(_EIGHTHS[min(8, max(0, filled - 8 * row))] for filled in heights)
        for row in reversed(range(height))
    ]


def age(points: Sequence[Point], figure: Callable[[Point], int | None]) -> float:
    """Return how many seconds before the last point the figure was known last."""
    known = next((point.uptime for point in reversed(points) if figure(point) is not None), None)
    return 0.0 if known is None else points[-1].uptime - known


def span_of(values: Sequence[int | None], age_seconds: float) -> str:
    """Return the last value, how old it is if that is worth saying, and the range of all of them."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    when = f", {words.age(age_seconds)} ago" if age_seconds > _STALE_SECONDS else ""
    return f"{mib(known[-1])}{when} ({mib(min(known))} to {mib(max(known))})"
