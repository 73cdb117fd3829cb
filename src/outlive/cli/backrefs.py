"""`outlive backrefs`: a picture of what refers to objects."""

from __future__ import annotations

from pathlib import Path

import click

from outlive.cli import source
from outlive.report.files import check_writable

_EPILOG = """\b
Examples:
  outlive backrefs UserActivity now.heap
  outlive backrefs UserActivity 4711 -o who.svg --depth 8
"""


@click.command(epilog=_EPILOG)
@click.argument("target", metavar="TYPE|OBJECT")
@click.argument("snapshot", metavar="FILE|PID")
@click.option(
    "-o",
    "out",
    metavar="FILE",
    type=Path,
    default=Path("backrefs.png"),
    show_default=True,
    help="The picture: .png or .svg.",
)
@click.option(
    "--depth", type=click.IntRange(1, 20), default=5, show_default=True, help="So many references back."
)
def command(target: str, snapshot: str, out: Path, depth: int) -> None:
    """Draw what refers to objects, and what refers to that, up to a root where it is near enough.

    Needs no Graphviz.
    """
    source.check_order("backrefs", target, snapshot)
    check_writable(out)
    with source.heap(snapshot) as opened:
        opened.backrefs(source.target(target), out, depth)
    click.echo(f"outlive: wrote {out}", err=True)
