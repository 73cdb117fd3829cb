"""`outlive report`: which lines hold a process's memory, as its recording tells."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from outlive.cli import source
from outlive.cli.output import show, show_json
from outlive.errors import UsageError
from outlive.recording.totals import Grouping
from outlive.report.files import check_not_input, check_writable

if TYPE_CHECKING:
    from outlive.model.recording import Recording

_EPILOG = """\b
Examples:
  outlive report 4711                     the process 4711, which records
  outlive report worker.outlive --tree    from the outermost frame to the allocating line
  outlive report worker.outlive --group file --limit 5
  outlive report worker.outlive --html worker.html
  outlive report worker.outlive --json | jq '.sites[0].stack[0]'
"""
_LIMIT = 20


@click.command(epilog=_EPILOG)
@click.argument("recording", metavar="FILE|PID")
@click.option("--tree", "as_tree", is_flag=True, help="Print the call tree; small branches are folded.")
@click.option(
    "--group", type=click.Choice(get_args(Grouping)), help="What counts as one site [default: line]."
)
@click.option(
    "--limit", type=click.IntRange(min=1), help=f"Sites, or branches of a frame, at most [default: {_LIMIT}]."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: all sites, by stack.")
@click.option("--html", "page", metavar="FILE", type=Path, help="Write a page that needs no network.")
def command(  # noqa: PLR0913 - one parameter an option
    recording: str,
    group: Grouping | None,
    limit: int | None,
    page: Path | None,
    *,
    as_tree: bool,
    as_json: bool,
) -> None:
    """Show which lines hold the memory of a process, living or dead, with 95 % intervals.

    Reads its recording only; the process notices nothing.
    """
    _check_options(group, limit, page, as_tree=as_tree, as_json=as_json)
    file = source.find(recording)
    if page is not None:
        check_not_input(page, file)
        check_writable(page)
    from outlive.recording.reader import read

    gc.disable()  # nothing here is garbage before the end, and much is to be looked through
    found = read(file)
    if page is not None:
        _write_page(page, found)
    if as_json:
        from outlive.report.recording_json import recording_json

        show_json(recording_json(found, by=group or "stack", limit=limit))
    elif page is None:
        shown = file if source.is_process(recording) else None
        show(_text(found, shown, group or "line", limit or _LIMIT, as_tree=as_tree))


def _check_options(
    group: Grouping | None, limit: int | None, page: Path | None, *, as_tree: bool, as_json: bool
) -> None:
    if as_tree and (group or as_json or page):
        raise UsageError(
            "--tree goes with --limit only", hint="leave it, or --group, --json and --html, away"
        )
    if page and not as_json and (group or limit):
        raise UsageError("--html shows everything", hint="leave --group and --limit away")


def _write_page(page: Path, recording: Recording) -> None:
    from outlive.cli.output import save
    from outlive.report.recording_html import recording_html

    save(page, recording_html(recording))


def _text(recording: Recording, file: Path | None, group: Grouping, limit: int, *, as_tree: bool) -> str:
    from outlive.report.style import style_of_stdout

    style = style_of_stdout()
    if as_tree:
        from outlive.report.recording_tree import recording_tree

        return recording_tree(recording, limit, style, file)
    from outlive.report.recording_table import recording_table

    return recording_table(recording, group, limit, style, file)
