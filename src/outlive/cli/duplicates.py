"""`outlive duplicates`: equal values kept many times."""

from __future__ import annotations

import click

from outlive.cli import source
from outlive.cli.output import show, show_json

_EPILOG = """\b
Examples:
  outlive duplicates 4711
  outlive snapshot 4711 --contents -o now.heap; outlive duplicates now.heap
  outlive duplicates now.heap --json | jq '.duplicates[0].wasted_bytes'
"""
_LIMIT = 20


@click.command(epilog=_EPILOG)
@click.argument("snapshot", metavar="FILE|PID")
@click.option(
    "--limit", type=click.IntRange(min=1), default=_LIMIT, show_default=True, help="Values at most."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(snapshot: str, limit: int, *, as_json: bool) -> None:
    """Show equal strings, bytes, numbers and tuples of them that are kept more than once, and where.

    A FILE must have been written with --contents. No value is shown.
    """
    from outlive.report.heap_json import duplicates_json
    from outlive.report.heap_table import duplicates_table, snapshot_line
    from outlive.report.style import style_of_stdout

    with source.heap(snapshot, contents=True) as opened:
        duplicates, info = opened.duplicates(limit), opened.info
    if as_json:
        show_json(duplicates_json(info, duplicates, limit))
        return
    style = style_of_stdout()
    show(f"{snapshot_line(snapshot, info, style)}\n\n{duplicates_table(duplicates, limit, style)}")
