"""`outlive why`: who holds it."""

from __future__ import annotations

import click

from outlive.cli import source
from outlive.cli.output import show, show_json

_EPILOG = """\b
Examples:
  outlive why UserActivity 4711
  outlive why app.models.UserActivity now.heap --limit 3
  outlive why '#123456' now.heap             an object, as outlive dominators numbers it
  outlive why 0x7f0012345678 now.heap        or by its address, id(obj)
  outlive why UserActivity now.heap --json | jq -r '.holders[].text'
"""
_LIMIT = 10


@click.command(epilog=_EPILOG)
@click.argument("target", metavar="TYPE|OBJECT")
@click.argument("snapshot", metavar="FILE|PID")
@click.option("--limit", type=click.IntRange(min=1), default=_LIMIT, show_default=True, help="Ways at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(target: str, snapshot: str, limit: int, *, as_json: bool) -> None:
    """Say what keeps objects alive: the ways in which they are held, each from its root on.

    The ways that keep most alive come first. Of a process, a snapshot is taken first, and removed at the end.
    """
    from outlive.report.heap_holders import holders_text
    from outlive.report.heap_json import holders_json
    from outlive.report.heap_table import snapshot_line
    from outlive.report.style import style_of_stdout

    source.check_order("why", target, snapshot)
    with source.heap(snapshot) as opened:
        what = source.target(target)
        holders, is_shared, info = opened.why(what, limit), opened.is_shared(what), opened.info
    if as_json:
        show_json(holders_json(info, target, holders, limit))
        return
    style = style_of_stdout()
    text = holders_text(target, holders, limit, style, is_shared=is_shared)
    show(f"{snapshot_line(snapshot, info, style)}\n\n{text}")
