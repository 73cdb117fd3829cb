"""`outlive growth`: which types grew, between snapshots or while a process runs."""

from __future__ import annotations

import time

import click

from outlive.cli import source
from outlive.cli.difference import LIMIT, show_growth
from outlive.cli.seconds import Seconds
from outlive.errors import UsageError

_EPILOG = """\b
Examples:
  outlive growth 4711                        now, and 10 seconds later
  outlive growth 4711 --seconds 600 --limit 5
  outlive growth before.heap 4711            since a snapshot
  outlive growth monday.heap tuesday.heap friday.heap --json | jq '.types[0]'
"""


@click.command(epilog=_EPILOG)
@click.argument("snapshots", metavar="FILE|PID [FILE|PID]...", nargs=-1, required=True)
@click.option(
    "--seconds",
    type=Seconds(min=0, max=86400),
    default=10,
    show_default=True,
    help="With one PID: time between two snapshots.",
)
@click.option("--limit", type=click.IntRange(min=1), help=f"Types at most [default: {LIMIT}].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: all types.")
def command(snapshots: tuple[str, ...], seconds: float, limit: int | None, *, as_json: bool) -> None:
    """Show which types grew from the first snapshot to the last, the largest growth first.

    Of snapshots in files, `outlive diff` shows the same.
    """
    waits = 0.0
    if len(snapshots) == 1:
        if not source.is_process(snapshots[0]):
            raise UsageError(
                "growth is between two snapshots, and there is only one",
                hint=f"outlive growth {snapshots[0]} AFTER",
            )
        snapshots, waits = snapshots * 2, seconds
    show_growth(snapshots, limit, as_json=as_json, between=lambda: time.sleep(waits))
