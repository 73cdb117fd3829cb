"""`outlive top`: the live screen of a process that records."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING

import click

from outlive.cli.output import show
from outlive.cli.recorded import offered, several, title
from outlive.cli.seconds import Seconds

if TYPE_CHECKING:
    from pathlib import Path


_EPILOG = """\b
Examples:
  outlive top                   the process that records; if several do, asks which
  outlive top 4711
  outlive top --once            one picture as text, as in a pipe
  outlive top --json 4711 | jq '.sites[0].stack[0]'
"""


@click.command(epilog=_EPILOG)
@click.option("--once", is_flag=True, help="Print one picture as text, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print one picture as JSON, and end.")
@click.option(
    "--interval",
    "seconds",
    type=Seconds(min=0.1, max=3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Time between looks.",
)
@click.argument("target", required=False, metavar="[PID|FILE]")
def command(target: str | None, seconds: float, *, once: bool, as_json: bool) -> int:
    """Watch what a process holds, from outside: it notices nothing.

    Shows which lines hold its memory now, with 95 % intervals, how that grew since a mark, and how RSS went.
    The process must record: outlive.start(), or outlive run --sample. Press ? for the keys.
    """
    offers = offered(target)
    if as_json or once or not _is_terminal():
        if len(offers) > 1:
            raise several(offers, "top")
        _print_once(offers[0].file, as_json=as_json)
        return 0
    from outlive.top.app import Top

    app = Top([(offer.file, title(offer)) for offer in offers], seconds)
    error = app.run()
    if error is not None:
        raise error
    return 3 if app.return_code == 1 else app.return_code or 0  # 1: textual has shown a traceback


def _is_terminal() -> bool:
    """Return whether there are keys and a screen; textual draws on stderr."""
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    return os.environ.get("TERM") != "dumb" and all(
        stream is not None and stream.isatty() for stream in streams
    )


def _print_once(file: Path, *, as_json: bool) -> None:
    if as_json:
        from outlive.recording import reader
        from outlive.report.recording_json import recording_json

        text = json.dumps(recording_json(reader.read(file)), indent=2) + "\n"
    else:
        from outlive.report.style import style_of_stdout
        from outlive.top.text import picture
        from outlive.top.watch import Watch

        text = picture(Watch(file), style_of_stdout(), time.time())
    show(text)
