"""A recording as text: whose it is, the course of RSS, and the sites that hold most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.model.printable import printable
from outlive.model.size import mib
from outlive.recording.death import death
from outlive.recording.totals import grouped, in_use
from outlive.report import program_text
from outlive.report.sparkline import rss_sparkline
from outlive.report.stack_text import SourceLines, innermost, named, outwards
from outlive.report.style import left_out

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from outlive.model.estimate import Estimate
    from outlive.model.recording import Recording, SiteTotal, Stack
    from outlive.recording.totals import Grouping
    from outlive.report.style import Style

NOTHING = "Nothing that was sampled is alive."

_ROW = "{:>11}  {:<24}  {:>10}  {:>12}  {}"
_INDENT = " " * len(_ROW.format("", "", "", "", "  "))
_SPARKS = 60
_LEGEND = (
    "In use: allocated since recording began and alive; estimated from samples, and 19 times in 20 the truth",
    "lies in the interval. Blocks: so many are alive. Allocated: since recording began, freed or not.",
)


def header(recording: Recording, style: Style, file: Path | None = None) -> Iterator[str]:
    """Give the lines that every report of a recording begins with; `file` is named if given."""
    held = in_use(recording)
    alive = f"{len(recording.samples):,} of {recording.sampled:,}"
    rows = [
        ("Program", program_text.identity(recording)),
        ("State", f"{death(recording).text}; {program_text.times(recording)}"),
        (
            "In use",
            f"{style.strong(mib(held.estimate))} ({spread(held)}), {alive} samples alive",
        ),
        ("Interval", program_text.interval(recording)),
        ("RSS", _rss(recording, style)),
    ]
    rows += [("File", printable(str(file)))] if file is not None else []
    rows += [("Note", text) for text in program_text.shortcomings(recording)]
    for name, text in rows:
        if text:
            yield f"{style.faint(f'{name:<8}')}  {text}"


def recording_table(
    recording: Recording, by: Grouping, limit: int, style: Style, file: Path | None = None
) -> str:
    """Return the report, with at most `limit` sites; `file` is named if given."""
    lines = [*header(recording, style, file), ""]
    sites = [site for site in grouped(recording, by) if site.samples]
    if not sites:
        return "\n".join((*lines, NOTHING, ""))
    lines.append(style.strong(_ROW.format("In use", "95 % interval", "Blocks", "Allocated", by.capitalize())))
    source = SourceLines(recording)
    for site in sites[:limit]:
        lines += _site(site, by, source, style)
    if rest := sites[limit:]:
        size = mib(sum(site.in_use.estimate for site in rest))
        lines.append(style.faint(f"{size:>11}  {left_out(len(rest))}"))
    return "\n".join((*lines, "", *map(style.faint, _LEGEND), ""))


def spread(estimate: Estimate) -> str:
    """Return an estimate's interval: "60.2 MiB to 71.4 MiB"."""
    return f"{mib(estimate.low)} to {mib(estimate.high)}"


def _site(site: SiteTotal, by: Grouping, source: SourceLines, style: Style) -> Iterator[str]:
    figures = (mib(site.in_use.estimate), spread(site.in_use), f"{site.blocks:,.0f}")
    yield style.fit(_ROW.format(*figures, mib(site.stack.allocated_bytes), named(innermost(site.stack))))
    yield from code(site.stack, by, source, style, _INDENT)


def code(stack: Stack, by: Grouping, source: SourceLines, style: Style, indent: str) -> Iterator[str]:
    """Give what stands below a site's row: the line's text, and the frames that it was called by."""
    frame, *callers = outwards(stack)
    texts = [source.line(frame)] if by in ("line", "stack") else []
    texts += map(named, callers) if by == "stack" else []
    yield from (style.faint(style.fit(f"{indent}{text}")) for text in texts if text)


def last_and_most_rss(recording: Recording) -> tuple[int, int] | None:
    """Return RSS at last and at most; None if it was never known."""
    known = [(point.rss, point.rss_peak or 0) for point in recording.timeline if point.rss is not None]
    return (known[-1][0], max(map(max, known))) if known else None


def _rss(recording: Recording, style: Style) -> str:
    rss = last_and_most_rss(recording)
    if rss is None:
        return ""
    course = style.bright(rss_sparkline(recording.timeline, _SPARKS))
    return f"{course}  {mib(rss[0])} at last, {mib(rss[1])} at most"
