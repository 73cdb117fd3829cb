"""`outlive convert`: a recording or a heap snapshot in the formats of other tools."""

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
  outlive convert now.heap --to heapsnapshot -o now.heapsnapshot     for Chrome's DevTools, Memory
"""
_OF_RECORDINGS = ("pprof", "speedscope", "folded", "json")
_OF_HEAPS = ("parquet", "heapsnapshot", "dot", "json")


@click.command(epilog=_EPILOG)
@click.argument("named", metavar="FILE|PID")
@click.option(
    "--to", "kind", type=click.Choice(tuple(dict.fromkeys(_OF_RECORDINGS + _OF_HEAPS))), required=True
)
@click.option("-o", "out", metavar="OUT", type=Path, help="Write there, not to stdout, which is -.")
def command(named: str, kind: str, out: Path | None) -> None:
    """Write a recording or a heap snapshot in a format that other tools read.

    \b
    of a recording:
    pprof         gzipped profile.proto: inuse_space, inuse_objects, alloc_space, alloc_objects
    speedscope    what is in use and what was allocated, for speedscope.app
    folded        a line for each stack and its bytes in use, for flamegraph.pl
    json          as of outlive report --json

    \b
    of a heap snapshot, with -o:
    parquet       a folder with a file for each table of outlive sql
    heapsnapshot  for Chrome's DevTools: types, retainers, retained sizes
    dot           the objects that keep most alive, for Graphviz
    json          all of it
    """  # noqa: D301 - click's mark for a paragraph to leave as it is
    out = None if out == Path("-") else out
    if source.is_heap(named) or (source.is_process(named) and kind not in _OF_RECORDINGS):
        _convert_heap(named, kind, out)
    elif kind not in _OF_RECORDINGS:
        raise UsageError(f"{kind} is made of a heap snapshot", f"{named} is none", "outlive snapshot PID")
    else:
        _convert_recording(named, kind, out)  # type: ignore[arg-type] # one of them, just seen


def _convert_heap(named: str, kind: str, out: Path | None) -> None:
    if kind not in _OF_HEAPS:
        raise UsageError(f"{kind} is made of a recording", f"{named} is a heap snapshot")
    if out is None:
        raise UsageError("a heap is more than stdout is for", hint=f"name a file: -o now.{kind}")
    if not source.is_process(named):
        check_not_input(out, Path(named))
    if kind != "parquet":
        check_writable(out)
    with source.heap(named) as opened:
        opened.convert(kind, out)
    click.echo(f"outlive: wrote {out}", err=True)


def _convert_recording(named: str, kind: Format, out: Path | None) -> None:
    file = source.find(named)
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
