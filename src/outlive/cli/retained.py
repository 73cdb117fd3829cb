"""`outlive retained`: what would be freed with it."""

from __future__ import annotations

import click

from outlive.cli import source
from outlive.cli.output import show, show_json

_EPILOG = """\b
Examples:
  outlive retained UserActivity 4711
  outlive retained '#123456' now.heap
  outlive retained app.cache.Entry now.heap --json | jq .retained_bytes
"""


@click.command(epilog=_EPILOG)
@click.argument("target", metavar="TYPE|OBJECT")
@click.argument("snapshot", metavar="FILE|PID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(target: str, snapshot: str, *, as_json: bool) -> None:
    """Say what would be freed if all objects of a type, or one object, were gone.

    That is their own size, and that of all that only they lead to.
    """
    from outlive.model.size import readable
    from outlive.report.heap_json import retained_json

    source.check_order("retained", target, snapshot)
    with source.heap(snapshot) as opened:
        retained_bytes = opened.retained(source.target(target))
        info = opened.info
    if as_json:
        show_json(retained_json(info, target, retained_bytes))
    else:
        show(f"{readable(retained_bytes)} ({retained_bytes:,} bytes)\n")
