"""One picture as text: `outlive top --once`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.model import layout
from outlive.report import program_text
from outlive.report.stack_text import named, outwards
from outlive.top import columns, spark, words
from outlive.top.rows import Choice, fitted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.model.recording import Recording
    from outlive.report.style import Style
    from outlive.top.rows import Row
    from outlive.top.watch import Watch

SPANS = tuple(spacing * count for spacing, count in layout.TIERS)  # as far back as each ring goes
_PAGE_WIDTH = 100
_SPARK_WIDTH = 60
_ROWS = 20
_FRAMES = 8


def picture(watch: Watch, style: Style, now: float) -> str:
    """Return the picture: cut to the width of a terminal."""
    return "".join(f"{style.fit(line.rstrip())}\n" for line in _lines(watch, style.width, now))


def _lines(watch: Watch, terminal_width: int, now: float) -> Iterator[str]:
    width, cut = terminal_width or _PAGE_WIDTH, terminal_width > 0
    recording, tally = watch.recording, watch.tally
    state = words.state(recording, live=watch.live, now=now)
    yield f"{program_text.identity(recording)} · up {program_text.duration(tally.uptime)} · {state}"
    yield " · ".join(words.memory(recording, tally.in_use))
    yield " · ".join(words.sampling(recording))
    if watch.ended:
        yield words.ending(recording, watch.file)
    yield ""
    yield from timeline(recording, min(_SPARK_WIDTH, width - 40), tally.uptime)
    rows = tally.rows(Choice())
    if not rows:
        yield "nothing sampled is in use"
        return
    yield from _table(rows[:_ROWS], width, cut=cut)
    if len(rows) > _ROWS:
        yield f"and {len(rows) - _ROWS:,} more; outlive report {watch.file}"
    yield ""
    yield "the first one's heaviest stack:"
    frames = outwards(rows[0].stacks[0][0])
    yield from (f"  {named(frame)}" for frame in frames[:_FRAMES])
    if len(frames) > _FRAMES:
        yield f"  and {len(frames) - _FRAMES} more"


def timeline(recording: Recording, width: int, uptime: float) -> Iterator[str]:
    """Draw the figures of the timeline that are known, each with its range and what it is now."""
    seconds = span_shown(SPANS[0], uptime)
    drawn = False
    for name, figure in spark.FIGURES:
        values = spark.columns(recording.timeline, figure, seconds, width)
        if any(values):
            (line,) = spark.draw(values)
            age = spark.age(recording.timeline, figure)
            yield f"{name:<7}{line}  {spark.span_of(values, age)}"
            drawn = True
    if drawn:
        yield f"       {f'{words.round_span(seconds)} ago':<{max(0, width - 3)}}now"
        yield ""


def span_shown(wanted: float, uptime: float) -> float:
    """Return how far back to draw: not before the beginning."""
    return max(1.0, min(wanted, uptime))


def _table(rows: list[Row], width: int, *, cut: bool) -> Iterator[str]:
    chosen = columns.fitting(width, marked=False)
    sizes = columns.widths(chosen, rows)
    titles = [f"{column.title:>{size}}" for column, size in zip(chosen, sizes, strict=True)]
    yield "  ".join([*titles, "line"])
    for row in rows:
        cells = [f"{column.cell(row):>{size}}" for column, size in zip(chosen, sizes, strict=True)]
        name = fitted(row.name, width - sum(sizes) - 2 * len(sizes)) if cut else row.name
        yield "  ".join([*cells, name])
