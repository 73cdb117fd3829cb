"""A picture of what refers to some objects, and to that: holders above what they hold, roots on top.

It stays small enough to be looked at. What it leaves out it says, where it was left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from outlive.errors import UsageError
from outlive.heap import files, graphviz, labels
from outlive.heap.filters import NOISE
from outlive.heap.index import IMMORTAL, NATIVE
from outlive.heap.labels import Labels
from outlive.heap.nouns import Nouns
from outlive.heap.tables import ROOT_KINDS
from outlive.model.heap_layout import Category

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from outlive.heap.columns import Columns
    from outlive.heap.holders import Holders
    from outlive.heap.index import Index
    from outlive.heap.ways import Ways

    U4 = NDArray[np.uint32]

_OBJECTS_MAX = 6
_HOLDERS_MAX = 6
_RANKED_MAX = 64
_LEVEL_MAX = 10
_NODES_MAX = 120
_LABELS_MAX = 2

_HEAD = """digraph backrefs {
graph [bgcolor="white", nodesep=0.25, ranksep=0.55, fontname="Helvetica", fontsize=10, fontcolor="#667085", \
labelloc=b, labeljust=l]
node [shape=box, style="filled,rounded", fontname="Helvetica", fontsize=11, color="#98a2b3", \
fillcolor="#f6f7f9", margin="0.14,0.07"]
edge [fontname="Helvetica", fontsize=9, fontcolor="#475467", color="#98a2b3", arrowsize=0.7]
"""
_FILLS = {
    Category.MODULE: "#d1e9ff",
    Category.TYPE: "#e0eaff",
    Category.FUNCTION: "#e0eaff",
    Category.FRAME: "#fef0c7",
    Category.GENERATOR: "#fef0c7",
    Category.COROUTINE: "#fef0c7",
    Category.ASYNC_GENERATOR: "#fef0c7",
    Category.TASK: "#fef0c7",
    Category.THREAD: "#fef0c7",
}
_PLAIN = "#f6f7f9"
_ASKED = 'fillcolor="#fecdca", color="#d92d20", penwidth=1.6'
_ROOT = 'shape=ellipse, style=filled, fillcolor="#d3f8df", color="#16b364"'
_MORE = 'shape=plaintext, style="", fontcolor="#667085", fontsize=10'
_KINDS = {labels.KEY: "key", labels.MEMBER: "member", labels.STACK: "stack"}


def backrefs(holders: Holders, rows: U4, filename: str | os.PathLike[str], max_depth: int = 5) -> Path:
    """Draw what refers to the objects `rows`, up to `max_depth` references away, and return the file.

    Raises:
        UsageError: the file's name ends neither in .png nor in .svg, or the depth is none.
        OutliveError: it can't be drawn or written.

    """
    file = Path(filename)
    form = _format(file)
    if max_depth < 1:
        raise UsageError(f"can't draw {max_depth} levels", "one is the least")
    picture = graphviz.drawn(graph(holders, rows, max_depth), form)
    with files.whole(file) as stream:
        stream.write(picture)
    return file


def graph(holders: Holders, rows: U4, max_depth: int) -> str:
    """Return the picture in Graphviz's language."""
    found = _Found(holders.index, holders.routes.ways(NOISE))
    found.add(holders.held_differently(rows, _OBJECTS_MAX), max_depth)
    return _HEAD + "".join(_Text(holders.columns, holders.index, found).lines(len(rows))) + "}\n"


def _format(file: Path) -> Literal["png", "svg"]:
    match file.suffix.lower():
        case ".png":
            return "png"
        case ".svg":
            return "svg"
    hint = "give it a name that ends in .png or .svg"
    raise UsageError(f"can't draw {file}", "pictures are PNG or SVG", hint)


@dataclass
class _Found:
    """What is to be drawn: objects, who holds them, and how many holders are not shown."""

    index: Index
    ways: Ways
    asked: set[int] = field(default_factory=set)
    holders: dict[int, list[int]] = field(default_factory=dict)  # of each object drawn
    left_out: dict[int, int] = field(default_factory=dict)

    def add(self, asked: list[int], max_depth: int) -> None:
        level = asked
        self.asked.update(asked)
        self.holders.update((row, []) for row in asked)
        for depth in range(max_depth + 1):
            ranked = {row: self._ranked(row) for row in level}
            further = list[int]()
            # The best holder of each has room before the second of one.
            for rank in range(_HOLDERS_MAX):
                for row, (holders, _) in ranked.items():
                    for holder in holders[rank : rank + 1]:
                        if self._has_room(holder, further if depth < max_depth else None):
                            self.holders[row].append(holder)
            for row, (_, count) in ranked.items():
                if len(self.holders[row]) < count:
                    self.left_out[row] = count - len(self.holders[row])
            level = further

    def _has_room(self, holder: int, further: list[int] | None) -> bool:
        """Draw a holder, if it is not: on the next level, where there is one (`further`) with room left."""
        if holder in self.holders:
            return True
        if further is None or len(further) == _LEVEL_MAX or len(self.holders) == _NODES_MAX:
            return False
        self.holders[holder] = []
        further.append(holder)
        return True

    def _ranked(self, row: int) -> tuple[list[int], int]:
        """Return the holders to show, and how many there are.

        First the one on the way to a root, then those that are shown anyway; those that only do so by what
        the filters call noise, if there are no others.
        """
        start, end = self.index.into_first[row : row + 2].tolist()
        holders = np.unique(self.index.into[start:end])
        shown = np.isin(holders, np.fromiter(self.holders, np.uint32))
        order = np.argsort(-(2 * (holders == self.index.parent[row]) + shown), kind="stable")
        ranked = holders[order[:_RANKED_MAX]].tolist()
        told = [one for one in ranked if one == self.index.parent[row] or self.ways.refers(one, row)]
        return (told or ranked)[:_HOLDERS_MAX], len(holders)


class _Text:
    """Says it in Graphviz's language."""

    def __init__(self, columns: Columns, index: Index, found: _Found) -> None:
        self.index, self.found = index, found
        self.labels = Labels(columns)
        self.nouns = Nouns(self.labels, {})
        self.columns = columns
        self.roots = {int(root["object"]): columns.text(root["name"]) for root in columns.roots}

    def lines(self, asked: int) -> Iterator[str]:
        for row, holders in self.found.holders.items():
            yield self._node(row)
            for holder in sorted(holders):
                yield f"o{holder} -> o{row} [label={self._edge(holder, row)}]\n"
            if left_out := self.found.left_out.get(row):
                yield f'm{row} [label="{left_out:,} more", {_MORE}]\nm{row} -> o{row} [style=dashed]\n'
            if root := self._root(row):
                yield f"r{row} [label={graphviz.quoted(root)}, {_ROOT}]\nr{row} -> o{row}\n"
        drawn = len(self.found.asked)
        if drawn < asked:
            yield f'label="{drawn:,} of {asked:,} objects are shown"\n'

    def _node(self, row: int) -> str:
        noun, category = self.nouns.noun(row).text, self.labels.category(row)
        if noun == self.labels.type_word(row):
            noun = self.labels.type_name(row)
        text = self.labels.text(row) if category in (Category.STR, Category.BYTES) else None
        said = [noun if text is None else f"{noun} {text!r}"]
        if row in self.found.asked:
            said.append(f"{int(self.index.retained[row]):,} bytes retained")
            return f"o{row} [label={graphviz.lines(*said)}, {_ASKED}]\n"
        return f'o{row} [label={graphviz.lines(*said)}, fillcolor="{_FILLS.get(category, _PLAIN)}"]\n'

    def _root(self, row: int) -> str:
        """Return what holds an object from outside the heap; "" if nothing does."""
        if self.labels.category(row) == Category.THREAD:
            return ""  # says so itself
        if row in self.roots:
            return self.roots[row]
        if self.index.parent[row] != row:
            return ""
        kind = int(self.index.root_kind[row])
        if kind == NATIVE:
            count, known = int(self.columns.refcount[row]), int(self.index.in_degree[row])
            return f"native reference: refcount {count:,}, {known:,} known"
        return "immortal" if kind == IMMORTAL else ROOT_KINDS.get(kind, "")

    def _edge(self, holder: int, held: int) -> str:
        edges = list(self.labels.edges_between(holder, held))
        said = [self._reference(holder, edge) for edge in edges[:_LABELS_MAX]]
        if len(edges) > _LABELS_MAX:
            said.append(f"{len(edges) - _LABELS_MAX:,} more")
        return graphviz.lines(*(f" {one}" for one in said))  # not on the line

    def _reference(self, holder: int, edge: int) -> str:
        label = self.labels.label(holder, edge)
        if label.kind == labels.VALUE:
            return self.nouns.key(label.key).text
        if label.kind == labels.ELEMENT:
            return f"[{label.place}]"
        return label.name or _KINDS.get(label.kind, "")
