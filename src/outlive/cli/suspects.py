"""`outlive suspects`: what keeps unusually much alive."""

from __future__ import annotations

import click

from outlive.cli import source
from outlive.cli.output import show, show_json

_EPILOG = """\b
Examples:
  outlive suspects 4711
  outlive suspects now.heap --limit 3
  outlive suspects now.heap --json | jq -r '.suspects[].accumulates_at'
"""
_LIMIT = 10


@click.command(epilog=_EPILOG)
@click.argument("snapshot", metavar="FILE|PID")
@click.option(
    "--limit", type=click.IntRange(min=1), default=_LIMIT, show_default=True, help="Suspects at most."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(snapshot: str, limit: int, *, as_json: bool) -> None:
    """Show objects and groups of them that keep a notable share alive, and where it accumulates.

    A suspect need not be a leak: it is where to look first.
    """
    from outlive.report.heap_holders import suspects_text
    from outlive.report.heap_json import suspects_json
    from outlive.report.heap_table import snapshot_line
    from outlive.report.style import style_of_stdout

    with source.heap(snapshot) as opened:
        suspects, info = opened.suspects(), opened.info
    if as_json:
        show_json(suspects_json(info, suspects, limit))
        return
    style = style_of_stdout()
    show(f"{snapshot_line(snapshot, info, style)}\n\n{suspects_text(suspects, limit, style)}")
