"""Who holds it, as people read it: holder paths, suspects, and what is overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.heap.words import ARROW
from outlive.model.printable import printable
from outlive.model.size import readable
from outlive.report.heap_table import PLAIN
from outlive.report.program_text import duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from outlive.model.heap import Holder, Overdue, Suspect
    from outlive.report.style import Style

_INDENT = "    "
# What a root's kind means where the word alone does not say it.
_MEANINGS = {
    "garbage": "nothing holds it but a cycle: the collector frees it",
    "native reference": "C code counts a reference that no object here has",
    "immortal": "it lives as long as the process, whoever holds it",
}
_SHARED = "Immortal: the interpreter keeps it for all who use it, and never frees it. Some of its users:"


def holders_text(
    target: str,
    holders: Sequence[Holder],
    limit: int | None,
    style: Style = PLAIN,
    *,
    is_shared: bool = False,
) -> str:
    """Return the ways in which `target` is held, as given, at most `limit` of them.

    `is_shared`: the interpreter keeps it for all.
    """
    if not holders and not is_shared:
        return f"Nothing holds {printable(target)} but what outlive leaves out.\n"
    lines = [_SHARED] if is_shared else []
    for holder in holders[:limit]:
        lines += _holder(holder, style)
    if rest := len(holders) - len(holders[:limit]):
        lines.append(style.faint(f"{rest:,} more ways (--limit shows more)"))
    return "\n".join((*lines, ""))


def path_lines(text: str, style: Style, indent: str = _INDENT) -> Iterator[str]:
    """Give a path, over several lines where the terminal is too narrow for one: none of it is left out."""
    line = ""
    for number, step in enumerate(printable(text).split(ARROW)):
        longer = f"{line}{ARROW}{step}" if number else indent + step
        if style.width and line and len(longer) > style.width:
            yield line
            longer = f"{indent}  {ARROW.strip()} {step}"
        line = longer
    yield line


def last_step(held: str, type_name: str) -> str:
    """Return by what name an object hangs where it is held: "CACHE['u42']", "Export.rows"; "" without one."""
    *before, last = held.split(ARROW)
    own = last.partition("[")[0] == type_name.rpartition(".")[2]  # says but what it is
    return (before[-1] if before else "") if own else last


def _holder(holder: Holder, style: Style) -> Iterator[str]:
    objects = f"{holder.count:,} object{'' if holder.count == 1 else 's'}"
    meaning = _MEANINGS.get(holder.root.kind)
    note = f" · {holder.root.kind}: {meaning}" if meaning else ""
    yield f"{style.strong(objects)}, {readable(holder.retained_bytes)} retained{style.faint(note)}"
    yield from path_lines(holder.text, style)
    if holder.made:
        yield style.faint(style.fit(f"{_INDENT}made by {printable(holder.made)}"))


def suspects_text(suspects: Sequence[Suspect], limit: int | None, style: Style = PLAIN) -> str:
    """Return what keeps unusually much alive, as given, at most `limit` of them."""
    if not suspects:
        return "No object, and no group of them, keeps a notable share of the memory alive.\n"
    blocks = [
        "\n".join(_suspect(number, suspect, style))
        for number, suspect in enumerate(suspects[:limit], start=1)
    ]
    if rest := len(suspects) - len(blocks):
        blocks.append(style.faint(f"{rest:,} more (--limit shows more)"))
    return "\n\n".join(blocks) + "\n"


def _suspect(number: int, suspect: Suspect, style: Style) -> Iterator[str]:
    is_group = suspect.count > 1
    many = f"{suspect.count:,} of " if is_group else ""
    size = f"{readable(suspect.retained_bytes)}, {suspect.share:.0%} of all"
    yield style.strong(f"{number}. {many}{printable(suspect.type)}: {size}")
    yield f"   {'the largest is held by' if is_group else 'held by'}: drop a reference on the way to free it"
    yield from path_lines(suspect.holder, style)
    if suspect.accumulates_at:
        yield "   where it accumulates: set a limit here, or empty it"
        yield from path_lines(suspect.accumulates_at, style)
    if suspect.made:
        yield "   the line that made most of it: make less, or let go of it after"
        yield style.fit(f"{_INDENT}{printable(suspect.made)}")
    if suspect.content:
        yield "   what accumulates: outlive why TYPE says who else holds it"
        for total in suspect.content:
            row = f"{_INDENT}{total.count:>10,}  {readable(total.shallow_bytes):>11}  {printable(total.name)}"
            yield style.fit(row)


def overdue_text(overdue: Sequence[Overdue]) -> str:
    """Return which watched objects should be dead, and what holds them."""
    if not overdue:
        return "Nothing that is watched is overdue.\n"
    blocks = []
    for each in overdue:
        heading = f"{each.count:,} {printable(each.type)}, watched up to {duration(each.seconds)} ago"
        blocks.append(f"{heading}\n{holders_text(each.type, each.holders, None)}")
    return "\n".join(blocks)
