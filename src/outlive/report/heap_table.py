"""Figures of a heap snapshot as tables: census, growth, duplicates, and rows that SQL gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.model.printable import printable
from outlive.model.size import readable
from outlive.report.program_text import clock, duration
from outlive.report.style import Style, left_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from outlive.model.heap import Change, Duplicate, SnapshotInfo, Total

PLAIN = Style()

_CENSUS = "{:>12}  {:>11}  {:>11}  {}"
_SITES = "{:>12}  {:>11}  {:<24}  {:>11}  {}"
_GROWTH = "{:>12}  {:>11}  {:>11}  {:<{}}  {}"
_DUPLICATES = "{:>11}  {:>10}  {:>11}  {}"
_CENSUS_LEGEND = (
    "Retained: their own size and what one of them alone keeps alive; what several keep together is in none."
)
_SITES_LEGEND = (
    "Estimates, from samples: 19 times in 20 the shallow bytes lie in the interval.\n"
    "Retained: what objects made there keep alive, themselves included."
)
_GROWTH_LEGEND = "Growth: from the first to the last, in objects and in bytes."
_GREY = " Grey: not more each time."
_CELL_MAX = 60


def snapshot_line(name: str, info: SnapshotInfo, style: Style = PLAIN) -> str:
    """Return whose snapshot this is, and what it cost; `name` is its file, or the process's number."""
    whole = f"{info.objects:,} objects, {info.references:,} references, RSS {readable(info.rss_bytes)}"
    cost = f"stood still for {milliseconds(info.pause_seconds)}"
    who = f"pid {info.pid}, Python {printable(info.python)}, {clock(info.taken)}"
    heading = "" if name == str(info.pid) else f"{style.strong(printable(name))}  "
    return f"{heading}{who}: {whole}; {cost}"


def milliseconds(seconds: float) -> str:
    """Return a short time: "12 ms", "1.5 s"."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else duration(seconds)


def census_table(totals: Sequence[Total], limit: int | None, style: Style = PLAIN, what: str = "Type") -> str:
    """Return the totals as given, at most `limit` of them; `what` they are totals of."""
    if not totals:
        return "There is nothing.\n"
    are_estimates = totals[0].shallow is not None
    row = _SITES if are_estimates else _CENSUS
    interval = ("95 % interval",) if are_estimates else ()
    lines = [style.strong(row.format("Count", "Shallow", *interval, "Retained", what))]
    for total in totals[:limit]:
        figures = (f"{total.count:,}", readable(total.shallow_bytes), *_interval(total))
        lines.append(style.fit(row.format(*figures, readable(total.retained_bytes), printable(total.name))))
    if rest := totals[len(totals[:limit]) :]:
        count, size = sum(total.count for total in rest), sum(total.shallow_bytes for total in rest)
        figures = (f"{count:,}", readable(size), *("" for _ in interval))
        lines.append(style.faint(row.format(*figures, "", left_out(len(rest)))))
    legend = _SITES_LEGEND if are_estimates else _CENSUS_LEGEND
    return "\n".join((*lines, "", *map(style.faint, legend.split("\n")), ""))


def _interval(total: Total) -> tuple[str, ...]:
    """Return, of a total that is an estimate, its interval: "60.2 MiB to 71.4 MiB"."""
    if total.shallow is None:
        return ()
    return (f"{readable(round(total.shallow.low))} to {readable(round(total.shallow.high))}",)


def growth_table(
    changes: Sequence[Change], limit: int | None, style: Style = PLAIN, what: str = "Type"
) -> str:
    """Return how totals changed from the first snapshot to the last, as given, at most `limit` of them."""
    if not changes:
        return "Nothing changed.\n"
    courses = [" → ".join(f"{count:,}" for count in change.counts) for change in changes[:limit]]
    wide = max(len("Count in each"), *map(len, courses))
    heading = ("Growth", "Shallow", "Retained", "Count in each", wide, what)
    lines = [style.strong(_GROWTH.format(*heading))]
    for change, course in zip(changes[:limit], courses, strict=True):
        figures = (
            f"{grown(change.counts):+,}",
            signed(grown(change.shallow_bytes)),
            signed(grown(change.retained_bytes)),
        )
        row = style.fit(_GROWTH.format(*figures, course, wide, printable(change.name)))
        lines.append(row if always_grew(change) else style.faint(row))
    if rest := len(changes) - len(courses):
        lines.append(style.faint(_GROWTH.format("", "", "", "", wide, left_out(rest))))
    legend = _GROWTH_LEGEND + (_GREY if style.is_coloured else "")
    return "\n".join((*lines, "", style.faint(legend), ""))


def is_reversed(infos: Sequence[SnapshotInfo]) -> bool:
    """Return whether the first of several snapshots was taken after the last."""
    return infos[0].taken > infos[-1].taken


def largest_first(changes: Sequence[Change]) -> list[Change]:
    """Return changes by their size, whether something grew or shrank."""

    def size(change: Change) -> tuple[int, int]:
        return abs(grown(change.shallow_bytes)), abs(grown(change.counts))

    return sorted(changes, key=size, reverse=True)


def grown(figures: Sequence[int]) -> int:
    """Return by how much a figure grew from the first snapshot to the last."""
    return figures[-1] - figures[0]


def always_grew(change: Change) -> bool:
    """Return whether there were more in each snapshot than in the one before."""
    return all(one < other for one, other in zip(change.counts, change.counts[1:], strict=False))


def signed(size_bytes: int) -> str:
    """Return a difference of sizes: "+12.5 KiB"."""
    return f"{'+' if size_bytes > 0 else ''}{readable(size_bytes)}"


def duplicates_table(duplicates: Sequence[Duplicate], limit: int | None, style: Style = PLAIN) -> str:
    """Return what is kept more than once, as given, at most `limit` of them."""
    if not duplicates:
        return "No value is kept more than once.\n"
    lines = [style.strong(_DUPLICATES.format("Wasted", "Times", "Bytes each", "Type, and what holds it"))]
    for each in duplicates[:limit]:
        figures = (readable(each.wasted_bytes), f"{each.count:,}", f"{each.bytes_each:,}")
        lines.append(style.fit(_DUPLICATES.format(*figures, printable(each.type))))
        indent = _DUPLICATES.format("", "", "", "")
        lines += [style.faint(style.fit(f"{indent}  {printable(holder)}")) for holder in each.holders]
    if rest := duplicates[len(duplicates[:limit]) :]:
        size = readable(sum(each.wasted_bytes for each in rest))
        lines.append(style.faint(_DUPLICATES.format(size, "", "", left_out(len(rest)))))
    return "\n".join((*lines, ""))


def rows_table(columns: Sequence[str], rows: Iterable[Sequence[object]], style: Style = PLAIN) -> str:
    """Return rows of a query: numbers to the right, the rest to the left, long cells cut."""
    given = [list(row) for row in rows]
    cells = [[_cell(value) for value in row] for row in given]
    heads = [printable(column) for column in columns]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    right = [
        bool(column) and all(isinstance(value, int | float) for value in column)
        for column in (zip(*given, strict=True) if given else [[] for _ in heads])
    ]
    lines = [style.strong(next(_padded([heads], widths, right)))]
    lines += map(style.fit, _padded(cells, widths, right))
    return "\n".join((*lines, "", style.faint(f"{len(given):,} rows"), ""))


def _padded(rows: Iterable[Sequence[str]], widths: Sequence[int], right: Sequence[bool]) -> Iterator[str]:
    for row in rows:
        yield "  ".join(
            cell.rjust(width) if to_the_right else cell.ljust(width)
            for cell, width, to_the_right in zip(row, widths, right, strict=True)
        ).rstrip()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    text = printable(str(value))
    return text if len(text) <= _CELL_MAX else text[: _CELL_MAX - 1] + "…"
