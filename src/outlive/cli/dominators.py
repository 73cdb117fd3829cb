"""`outlive dominators`: the objects that alone keep most alive."""

from __future__ import annotations

from pathlib import Path

import click

from outlive.cli import source
from outlive.cli.output import save, show, show_json
from outlive.errors import UsageError
from outlive.report.files import check_not_input, check_writable

_EPILOG = """\b
Examples:
  outlive dominators 4711
  outlive dominators now.heap --depth 1 --limit 5
  outlive dominators now.heap --below 123456
  outlive dominators now.heap --html heap.html
  outlive dominators now.heap --json | jq '.dominators[0].held'
"""
_LIMIT = 10
_DEPTH = 3


@click.command(epilog=_EPILOG)
@click.argument("snapshot", metavar="FILE|PID")
@click.option("--below", metavar="OBJECT", type=click.IntRange(min=0), help="Only what this object keeps.")
@click.option("--depth", type=click.IntRange(1, 20), default=_DEPTH, show_default=True, help="Levels.")
@click.option(
    "--limit",
    type=click.IntRange(1, 20),
    default=_LIMIT,
    show_default=True,
    help="Objects below each at most.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--html", "page", metavar="FILE", type=Path, help="Write a page with a treemap instead.")
def command(  # noqa: PLR0913 - one parameter an option
    snapshot: str, below: int | None, depth: int, limit: int, page: Path | None, *, as_json: bool
) -> None:
    """Show the objects without which most memory would be freed, how they are held, and what that memory is.

    A tree: what stands below an object is kept by it alone. Less than 0.5 % of all is folded.
    """
    if page is not None:
        _write_page(snapshot, page, is_whole=below is None and not as_json)
        return
    from outlive.report.heap_json import dominators_json
    from outlive.report.heap_table import snapshot_line
    from outlive.report.heap_tree import dominators_tree
    from outlive.report.style import style_of_stdout

    with source.heap(snapshot) as opened:
        branches, info = opened.dominator_tree(below, depth), opened.info
        whole_bytes = opened.index.total_bytes
    if as_json:
        show_json(dominators_json(info, branches, limit))
        return
    style = style_of_stdout()
    tree = dominators_tree(branches, whole_bytes, limit, style)
    show(f"{snapshot_line(snapshot, info, style)}\n\n{tree}")


def _write_page(snapshot: str, page: Path, *, is_whole: bool) -> None:
    if not is_whole:
        raise UsageError("--html shows everything, and alone", hint="leave --below and --json away")
    if not source.is_process(snapshot):
        check_not_input(page, Path(snapshot))
    check_writable(page)
    from outlive.report.heap_html import heap_html

    with source.heap(snapshot) as opened:
        content = heap_html(opened)
    save(page, content)
