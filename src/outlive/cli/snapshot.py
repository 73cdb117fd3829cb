"""`outlive snapshot`: the heap of a running process in a file."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

import click

from outlive.cli import source
from outlive.cli.output import show, show_json
from outlive.report.files import check_writable

_EPILOG = """\b
Examples:
  outlive snapshot 4711                       to 4711-20261123T091500.heap
  outlive snapshot 4711 -o before.heap
  outlive census before.heap
  outlive snapshot 4711 -o now.heap --json | jq .snapshot.pause_seconds
"""


@click.command(epilog=_EPILOG)
@click.argument("pid", type=click.IntRange(min=1))
@click.option("-o", "out", metavar="FILE", type=Path, help="Write there [default: PID-TIME.heap].")
@click.option(
    "--contents", is_flag=True, help="With what it takes to find equal values (outlive duplicates)."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(pid: int, out: Path | None, *, contents: bool, as_json: bool) -> None:
    """Write a snapshot of the heap of process PID, which runs outlive; it goes on meanwhile.

    The process forks, and the child writes: objects, their sizes and references, and names of types,
    variables and keys. No other values.
    """
    file = out or Path(f"{pid}-{time.strftime('%Y%m%dT%H%M%S')}.heap")
    check_writable(file)
    source.take(pid, file, contents=contents)
    from outlive.heap.snapshot import Snapshot
    from outlive.report.heap_table import snapshot_line

    info = Snapshot(file).info
    if as_json:
        show_json({"schema": 1, "file": str(file), "snapshot": asdict(info)})
    else:
        show(snapshot_line(str(file), info) + "\n")
