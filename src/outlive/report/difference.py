"""What grew between two recordings, as text and as JSON (schema 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.model.size import mib
from outlive.recording.difference import difference, grown
from outlive.recording.totals import in_use
from outlive.report import program_text
from outlive.report.recording_json import estimate_json
from outlive.report.recording_table import code, spread
from outlive.report.stack_text import SourceLines, innermost, named
from outlive.report.style import left_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.model.recording import Recording
    from outlive.recording.difference import SiteDifference
    from outlive.recording.totals import Grouping
    from outlive.report.style import Style

_ROW = "{:>11}  {:<26}  {:>11}  {:>11}  {}"
_INDENT = " " * len(_ROW.format("", "", "", "", "  "))
_LEGEND = (
    "Growth is estimated from samples: 19 times in 20 the truth lies in the interval. Where that spans 0,",
    "chance alone may explain it.",
)


def difference_table(before: Recording, after: Recording, by: Grouping, limit: int, style: Style) -> str:
    """Return what grew, the largest growth first, at most `limit` sites.

    If nothing grew, or they are given the wrong way round, the largest change comes first.
    """
    lines = [*_header(before, after, style), ""]
    sites = difference(before, after, by)
    if not sites:
        return "\n".join((*lines, "No site changed.", ""))
    if program_text.is_later(before, after) or not any(site.grown.estimate > 0 for site in sites):
        sites.sort(key=lambda site: abs(site.grown.estimate), reverse=True)
    lines.append(style.strong(_ROW.format("Growth", "95 % interval", "Before", "After", by.capitalize())))
    source = SourceLines(after)
    for site in sites[:limit]:
        lines += _site(site, by, source, style)
    if rest := sites[limit:]:
        size = _signed(sum(site.grown.estimate for site in rest))
        lines.append(style.faint(f"{size:>11}  {left_out(len(rest))}"))
    return "\n".join((*lines, "", *map(style.faint, _LEGEND), ""))


def difference_json(
    before: Recording, after: Recording, by: Grouping, limit: int | None
) -> dict[str, object]:
    """Return the document for `json.dumps`; sizes are bytes, times seconds."""
    sites = difference(before, after, by)
    return {
        "schema": 1,
        "before": _side_json(before),
        "after": _side_json(after),
        "reversed": program_text.is_later(before, after),
        "seconds": program_text.last_seen(after) - program_text.last_seen(before),
        "grown_bytes": estimate_json(grown(before, after)),
        "sites": [
            {
                "grown_bytes": estimate_json(site.grown),
                "grown_blocks": round(site.grown_blocks, 1),
                "beyond_chance": site.beyond_chance,
                "before_bytes": estimate_json(site.before),
                "after_bytes": estimate_json(site.after),
                "stack": [
                    {"function": frame.function, "file": frame.file, "line": frame.line}
                    for frame in site.stack.frames
                ],
                "cut": site.stack.cut,
            }
            for site in sites[:limit]
        ],
        "sites_left_out": len(sites) - len(sites[:limit]),
    }


def _header(before: Recording, after: Recording, style: Style) -> Iterator[str]:
    for name, recording in (("Before", before), ("After", after)):
        held = in_use(recording)
        text = f"{program_text.identity(recording)}; {program_text.times(recording)}"
        yield f"{style.faint(f'{name:<8}')}  {text}; {mib(held.estimate)} in use"
    whole = grown(before, after)
    yield f"{style.faint('Growth  ')}  {style.strong(_signed(whole.estimate))} ({spread(whole)})"
    if program_text.is_later(before, after):
        yield f"{style.faint('Note    ')}  {program_text.REVERSED}"
    if (before.process.pid, before.process.began) != (after.process.pid, after.process.began):
        yield f"{style.faint('Note    ')}  two processes: sites are compared by their totals"
    for name, recording in (("before", before), ("after", after)):
        for text in program_text.shortcomings(recording):
            yield f"{style.faint('Note    ')}  {name}: {text}"


def _site(site: SiteDifference, by: Grouping, source: SourceLines, style: Style) -> Iterator[str]:
    figures = (_signed(site.grown.estimate), spread(site.grown), mib(site.before.estimate))
    row = style.fit(_ROW.format(*figures, mib(site.after.estimate), named(innermost(site.stack))))
    yield row if site.beyond_chance else style.faint(row)
    yield from code(site.stack, by, source, style, _INDENT)


def _side_json(recording: Recording) -> dict[str, object]:
    process = recording.process
    return {
        "pid": process.pid,
        "program": program_text.program(recording),
        "began": process.began,
        "last": program_text.last_seen(recording),
        "in_use_bytes": estimate_json(in_use(recording)),
    }


def _signed(size_bytes: float) -> str:
    return f"{'+' if size_bytes > 0 else ''}{mib(size_bytes)}"
