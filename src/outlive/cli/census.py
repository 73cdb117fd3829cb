"""`outlive census`: how many objects of which types, and what they keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from outlive.cli import source
from outlive.cli.output import show, show_json

if TYPE_CHECKING:
    from typing import Literal

    By = Literal["type", "module", "site"]

_EPILOG = """\b
Examples:
  outlive census 4711
  outlive census now.heap --limit 50
  outlive census now.heap --group module
  outlive census now.heap --group site      by the lines that made the objects, if a sampler ran
  outlive census now.heap --json | jq '.types[0]'
"""
_LIMIT = 20


@click.command(epilog=_EPILOG)
@click.argument("snapshot", metavar="FILE|PID")
@click.option(
    "--group", "by", type=click.Choice(("type", "module", "site")), default="type", help="What to add up by."
)
@click.option("--limit", type=click.IntRange(min=1), help=f"Rows at most [default: {_LIMIT}].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: all rows.")
def command(snapshot: str, by: By, limit: int | None, *, as_json: bool) -> None:
    """Count the objects of a heap snapshot by type: how many, their own size, and what they retain.

    Of a process, a snapshot is taken first, and removed at the end.
    """
    from outlive.report.heap_json import census_json
    from outlive.report.heap_table import census_table, snapshot_line
    from outlive.report.style import style_of_stdout

    with source.heap(snapshot) as opened:
        totals, info = opened.census(by=by), opened.info
    if as_json:
        show_json(census_json(info, totals, limit))
        return
    style = style_of_stdout()
    table = census_table(totals, limit or _LIMIT, style, by.capitalize())
    show(f"{snapshot_line(snapshot, info, style)}\n\n{table}")
