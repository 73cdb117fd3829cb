"""`outlive diff`: what grew between two recordings, or from heap snapshot to heap snapshot."""

from __future__ import annotations

from typing import get_args

import click

from outlive.cli import source
from outlive.cli.difference import LIMIT, show_growth
from outlive.cli.output import show, show_json
from outlive.errors import UsageError
from outlive.recording.totals import Grouping

_EPILOG = """\b
Examples:
  cp /dev/shm/outlive-1000/4711-*.outlive before.outlive    one moment of a process
  outlive diff before.outlive 4711                        and what grew since
  outlive diff monday.outlive friday.outlive --group file --limit 5
  outlive diff before.outlive after.outlive --json | jq '.sites[0].grown_bytes'
  outlive diff --verify before.outlive after.outlive      whether what leaked is fixed
  outlive diff before.heap after.heap                     types of objects
  outlive diff before.heap after.heap later.heap
"""


@click.command(epilog=_EPILOG)
@click.argument("named", metavar="FILE|PID FILE|PID...", nargs=-1, required=True)
@click.option(
    "--group",
    type=click.Choice(get_args(Grouping)),
    help="Of recordings: what counts as one site [default: line].",
)
@click.option("--limit", type=click.IntRange(min=1), help=f"Sites or types at most [default: {LIMIT}].")
@click.option("--verify", "verifies", is_flag=True, help="Of recordings: whether the second is fixed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: all sites or types.")
def command(
    named: tuple[str, ...], group: Grouping | None, limit: int | None, *, verifies: bool, as_json: bool
) -> int:
    """Show what grew from the first to the last, the largest growth first.

    Of two recordings that is sites; of heap snapshots types, as `outlive growth` has it.

    Of one process, blocks alive in both recordings cancel out, so that growth is known better than either
    total. Beside a snapshot, a PID means one that is taken now.

    With --verify, what outlives a run of each scope is compared instead, of two recordings or of what
    outlive run --sample --json wrote; exit code 0: fixed, 1: not, or not proven.
    """
    if len(named) == 1:
        raise UsageError("growth is between two files", "there is only one", f"outlive diff {named[0]} AFTER")
    heaps = [source.is_heap(name) for name in named]
    if any(heaps):
        _check_heaps(named, heaps, group)
        if verifies:
            raise UsageError("--verify goes with recordings", "a heap snapshot has no runs")
        show_growth(named, limit, as_json=as_json)
        return 0
    if len(named) > 2:  # noqa: PLR2004 - one before, one after
        raise UsageError("diff compares two recordings", hint="only heap snapshots can be more")
    if verifies:
        if group is not None or limit is not None:
            raise UsageError("--verify takes neither --group nor --limit", hint="leave them away")
        return _verify(named, as_json=as_json)
    from outlive.recording.reader import read
    from outlive.report.difference import difference_json, difference_table
    from outlive.report.style import style_of_stdout

    by = group or "line"
    one, other = (read(source.find(name)) for name in named)
    if as_json:
        show_json(difference_json(one, other, by, limit))
    else:
        show(difference_table(one, other, by, limit or LIMIT, style_of_stdout()))
    return 0


def _verify(named: tuple[str, ...], *, as_json: bool) -> int:
    from outlive.cli.outcomes import read_outcome
    from outlive.cli.verify import exit_code
    from outlive.diagnose.comparison import compare, pooled
    from outlive.report.comparison_json import comparison_json
    from outlive.report.comparison_text import comparison_text
    from outlive.report.style import style_of_stdout

    before, after = named
    compared = compare(pooled([read_outcome(before)]), pooled([read_outcome(after)]))
    if as_json:
        show_json(comparison_json(compared, (before, after)))
    else:
        show(comparison_text(compared, (before, after), 1, style_of_stdout()))
    return exit_code(compared)


def _check_heaps(named: tuple[str, ...], heaps: list[bool], group: Grouping | None) -> None:
    for name, is_heap in zip(named, heaps, strict=True):
        if not is_heap and not source.is_process(name):
            raise UsageError(f"{name} is no heap snapshot", "but another of the files is one")
    if group is not None:
        raise UsageError("--group goes with recordings", hint="leave it away")
