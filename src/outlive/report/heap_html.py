"""Who alone keeps memory alive, as one page that needs no network: the dominator tree, drawn to size."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from outlive.heap.words import ARROW
from outlive.model.printable import printable_name
from outlive.model.size import readable
from outlive.report import program_text
from outlive.report.page import page

if TYPE_CHECKING:
    from outlive.heap.dominators import Branch
    from outlive.heap.snapshot import Snapshot
    from outlive.model.heap import Dominator

_DEPTH = 10
_ROWS_MAX = 100
_NAME_MAX = 200
_WRAPPED = 0.95  # of what an object retains, in another one: that is the one to look at


def heap_html(snapshot: Snapshot) -> str:
    """Return the page.

    Raises:
        OutliveError: plotly's script, which draws it, is not installed.

    """
    info = snapshot.info
    tree = snapshot.dominator_tree(depth=_DEPTH)
    total = snapshot.index.total_bytes
    return page(
        "heap.html",
        title=f"Heap of process {info.pid}",
        subtitle=f"CPython {info.python} · {program_text.clock(info.taken)}",
        figures=[
            (readable(total), "in objects"),
            (f"{info.objects:,}", f"objects, {info.references:,} references"),
            (readable(info.rss_bytes), "RSS"),
        ],
        largest=[_row(one, total) for one in _largest(tree)],
        charts={"dominators": _boxes(tree, total)},
    )


def _largest(tree: tuple[Branch, ...]) -> list[Dominator]:
    """Return the largest objects of the tree, but for those that do little more than hold another one."""
    found: list[Dominator] = []
    left = list(tree)
    while left:
        branch = left.pop()
        left += branch.branches
        within = max((below.dominator.retained_bytes for below in branch.branches), default=0)
        if within < _WRAPPED * branch.dominator.retained_bytes:
            found.append(branch.dominator)
    return sorted(found, key=lambda one: -one.retained_bytes)[:_ROWS_MAX]


def _row(one: Dominator, total: int) -> dict[str, object]:
    return {
        "type": printable_name(one.type, _NAME_MAX),
        "held": printable_name(one.held, _NAME_MAX),
        "object": one.object,
        "retained": one.retained_bytes,
        "retained_text": readable(one.retained_bytes),
        "share": 100 * one.retained_bytes / (total or 1),
        "shallow": one.shallow_bytes,
    }


class _Box(NamedTuple):
    """An object as plotly wants it; `parents`: the number of the box around it, -1 for the outermost."""

    names: str
    held: str
    origins: str
    values: int
    shallow: int
    parents: int


def _boxes(tree: tuple[Branch, ...], total: int) -> dict[str, list[object]]:
    """Return the tree as columns."""
    boxes: list[_Box] = []
    if total:
        boxes.append(_Box("all objects", "", "none", total, 0, -1))
        shown = sum(branch.dominator.retained_bytes for branch in tree)
        if shown < total:
            boxes.append(_Box("(smaller)", "", "none", total - shown, 0, 0))
    left = [(branch, 0) for branch in tree]
    while left:
        branch, parent = left.pop()
        left += [(below, len(boxes)) for below in branch.branches]
        number = len(boxes)
        boxes.append(_box(branch.dominator, parent))
        if branch.left_out_bytes:
            name = f"({branch.left_out:,} smaller)"
            boxes.append(_Box(name, "", "none", branch.left_out_bytes, 0, number))
    return {name: [getattr(box, name) for box in boxes] for name in _Box._fields}


def _box(one: Dominator, parent: int) -> _Box:
    name = ARROW.join(one.held.split(ARROW)[-2:]) or one.type
    return _Box(
        printable_name(name, _NAME_MAX),
        printable_name(f"{one.type}: {one.held}", _NAME_MAX),
        _origin(one.type),
        one.retained_bytes,
        one.shallow_bytes,
        parent,
    )


def _origin(type_name: str) -> str:
    """Return the colour: built in or of the standard library, or of someone's own classes."""
    first, dot, _ = type_name.partition(".")
    return "standard" if not dot or first in sys.stdlib_module_names else "own"
