"""A snapshot as a graph in Graphviz's language: a node an object, an edge a reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.heap import references as refs
from outlive.heap.graphviz import quoted
from outlive.model.heap_layout import NONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from outlive.heap.tables import Source

_CHUNK = 1 << 14


def write(source: Source, stream: IO[bytes], progress: Callable[[int, int], None]) -> None:
    """Write the graph; `progress` is told how much of how much is done, in objects."""
    stream.write(b"digraph heap {\nnode [shape=box];\n")
    for start in range(0, len(source.columns), _CHUNK):
        stop = min(start + _CHUNK, len(source.columns))
        lines = [*_nodes(source, start, stop), *_edges(source, start, stop)]
        stream.write("".join(lines).encode("utf-8", "backslashreplace"))
        progress(stop, len(source.columns))
    stream.write(b"}\n")


def _nodes(source: Source, start: int, stop: int) -> Iterator[str]:
    names, index = source.index.type_names, source.index
    texts = source.texts[start:stop].tolist()
    for row, of, text in zip(range(start, stop), index.type[start:stop].tolist(), texts, strict=True):
        name = names[of] if text == NONE else f"{names[of]} {source.columns.text(text)}"
        size, retained = int(index.sizes[row]), int(index.retained[row])
        yield f"o{row} [label={quoted(name)}, size={size}, retained={retained}];\n"


def _edges(source: Source, start: int, stop: int) -> Iterator[str]:
    found = refs.references(source.columns, source.texts, start, stop)
    arrays = (found.source, found.target, found.kind, found.position, found.name)
    for holder, held, kind, position, name in zip(*(array.tolist() for array in arrays), strict=True):
        if kind == refs.ELEMENT:
            label = f"[{position}]"
        elif name == NONE:
            label = refs.KINDS[kind]
        elif kind == refs.ATTRIBUTE:
            label = source.columns.text(name)
        else:
            label = f"{refs.KINDS[kind]} {source.columns.text(name)}"
        yield f"o{holder} -> o{held} [label={quoted(label)}];\n"
