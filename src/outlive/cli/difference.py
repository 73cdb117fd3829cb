"""What `outlive diff` and `outlive growth` show of heap snapshots."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from outlive.cli import source
from outlive.cli.output import show, show_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LIMIT = 20


def show_growth(
    named: Sequence[str],
    limit: int | None,
    *,
    as_json: bool,
    between: Callable[[], None] = lambda: None,
) -> None:
    """Print how types changed from one snapshot to the next, at most `limit` of them.

    The largest growth comes first; if nothing grew, or they are in the wrong order, the largest change.

    Args:
        named: two or more files or processes.
        limit: None for 20, in JSON for all.
        as_json: whether to print JSON.
        between: called after the first.

    """
    from outlive.report.heap_json import growth_json
    from outlive.report.heap_table import grown, growth_table, is_reversed, largest_first, snapshot_line
    from outlive.report.program_text import REVERSED
    from outlive.report.style import style_of_stdout

    with ExitStack() as stack:
        first = stack.enter_context(source.heap(named[0]))
        between()
        others = [stack.enter_context(source.heap(name)) for name in named[1:]]
        changes = first.diff(*others)
        infos = [each.info for each in (first, *others)]
    if as_json:
        show_json(growth_json(infos, changes, limit))
        return
    style = style_of_stdout()
    heads = [snapshot_line(name, info, style) for name, info in zip(named, infos, strict=True)]
    if is_reversed(infos):
        heads.append(f"{style.faint('Note')}  {REVERSED}")
    if is_reversed(infos) or not any(grown(change.shallow_bytes) > 0 for change in changes):
        changes = largest_first(changes)
    show("\n".join((*heads, "", growth_table(changes, limit or LIMIT, style))))
