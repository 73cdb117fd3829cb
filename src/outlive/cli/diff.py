"""`outlive diff`: what grew between two recordings."""

from __future__ import annotations

import json
from typing import get_args

import click

from outlive.cli import source
from outlive.cli.output import show
from outlive.recording.totals import Grouping

_EPILOG = """\b
Examples:
  cp /dev/shm/outlive-1000/4711.outlive before.outlive    one moment of a process
  outlive diff before.outlive 4711                        and what grew since
  outlive diff monday.outlive friday.outlive --group file --limit 5
  outlive diff before.outlive after.outlive --json | jq '.sites[0].grown_bytes'
"""
_LIMIT = 20


@click.command(epilog=_EPILOG)
@click.argument("before", metavar="FILE|PID")
@click.argument("after", metavar="FILE|PID")
@click.option(
    "--group", type=click.Choice(get_args(Grouping)), help="What counts as one site [default: line]."
)
@click.option("--limit", type=click.IntRange(min=1), help=f"Sites at most [default: {_LIMIT}].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: all sites.")
def command(before: str, after: str, group: Grouping | None, limit: int | None, *, as_json: bool) -> None:
    """Show what grew from one recording to another, the largest growth first.

    Of one process, blocks alive in both cancel out, so that growth is known better than either total.
    """
    from outlive.recording.reader import read
    from outlive.report.difference import difference_json, difference_table
    from outlive.report.style import style_of_stdout

    by = group or "line"
    one, other = read(source.find(before)), read(source.find(after))
    if as_json:
        show(json.dumps(difference_json(one, other, by, limit)) + "\n")
    else:
        show(difference_table(one, other, by, limit or _LIMIT, style_of_stdout()))
