"""`outlive convert`: a recording in the formats of other tools."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

import outlive
from outlive.cli import source
from outlive.cli.output import save, show
from outlive.errors import UsageError
from outlive.report.files import check_not_input, check_writable

if TYPE_CHECKING:
    from outlive.model.recording import Recording

    Format = Literal["pprof", "speedscope", "folded", "json"]

_EPILOG = """\b
Examples:
  outlive convert worker.outlive --to pprof -o worker.pb.gz
  go tool pprof -http=: worker.pb.gz
  outlive convert 4711 --to speedscope -o worker.speedscope.json     for https://www.speedscope.app
  outlive convert 4711 --to folded | flamegraph.pl --countname bytes > worker.svg
"""


@click.command(epilog=_EPILOG)
@click.argument("recording", metavar="FILE|PID")
@click.option("--to", "kind", type=click.Choice(("pprof", "speedscope", "folded", "json")), required=True)
@click.option("-o", "out", metavar="OUT", type=Path, help="Write there, not to stdout.")
def command(recording: str, kind: Format, out: Path | None) -> None:
    """Write a recording in a format that other tools read.

    \b
    pprof       gzipped profile.proto: inuse_space, inuse_objects, alloc_space, alloc_objects
    speedscope  what is in use and what was allocated, for speedscope.app
    folded      a line for each stack and its bytes in use, for flamegraph.pl
    json        as of outlive report --json
    """  # noqa: D301 - click's mark for a paragraph to leave as it is
    file = source.find(recording)
    if out is not None:
        check_not_input(out, file)
        check_writable(out)
    elif kind == "pprof" and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError("pprof is no text for a terminal", hint="name a file: -o worker.pb.gz")
    from outlive.recording.reader import read

    content = _converted(read(file), kind)
    if out is None:
        show(content)
    else:
        save(out, content)


def _converted(recording: Recording, kind: Format) -> str | bytes:
    exporter = f"outlive@{outlive.__version__}"
    if kind == "pprof":
        from outlive.report.pprof import pprof

        return pprof(recording, exporter)
    if kind == "speedscope":
        from outlive.report.speedscope import speedscope

        return speedscope(recording, exporter)
    if kind == "folded":
        from outlive.report.folded import folded

        return folded(recording)
    from outlive.report.recording_json import recording_json

    return json.dumps(recording_json(recording)) + "\n"
