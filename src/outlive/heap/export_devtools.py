"""A snapshot for the Memory panel of Chrome's DevTools: V8's .heapsnapshot, written a part at a time.

Types are its class names. Below the root, one node for each kind of root holds what begins there; garbage
has one too, so that its sizes add up. DevTools works out dominators and retained sizes again, from the same
graph.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from outlive.heap import references as refs
from outlive.model.heap_layout import NONE, Category, RootKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from numpy.typing import NDArray

    from outlive.heap.tables import Source

    Array = NDArray[Any]
    Progress = Callable[[int, int], None]

_NODE_FIELDS = ["type", "name", "id", "self_size", "edge_count", "trace_node_id", "detachedness"]
_NODE_TYPES = [
    "hidden",
    "array",
    "string",
    "object",
    "code",
    "closure",
    "regexp",
    "number",
    "native",
    "synthetic",
    "concatenated string",
    "sliced string",
    "symbol",
    "bigint",
    "object shape",
]
_EDGE_FIELDS = ["type", "name_or_index", "to_node"]
_EDGE_TYPES = ["context", "element", "property", "internal", "hidden", "shortcut", "weak"]
_META = {
    "node_fields": _NODE_FIELDS,
    "node_types": [_NODE_TYPES, "string", "number", "number", "number", "number", "number"],
    "edge_fields": _EDGE_FIELDS,
    "edge_types": [_EDGE_TYPES, "string_or_number", "node"],
    "trace_function_info_fields": ["function_id", "name", "script_name", "script_id", "line", "column"],
    "trace_node_fields": ["id", "function_info_index", "count", "size", "children"],
    "sample_fields": ["timestamp_us", "last_assigned_id"],
    "location_fields": ["object_index", "script_id", "line", "column"],
}
_OBJECT, _SYNTHETIC = _NODE_TYPES.index("object"), _NODE_TYPES.index("synthetic")
_ELEMENT, _PROPERTY, _INTERNAL = map(_EDGE_TYPES.index, ("element", "property", "internal"))
_SIZE_MAX = (1 << 32) - 1  # what DevTools has room for
_CHUNK = 1 << 16
_ROOTS = {
    RootKind.INTERPRETER: "interpreter",
    RootKind.THREAD: "threads",
    RootKind.STATIC: "static types",
}

_PLAIN_VALUE = max(refs.KINDS) + 1  # a dict's value whose key is shown as it is: a number
_ANONYMOUS = {
    refs.OTHER: "(reference)",
    refs.KEY: "(key)",
    refs.VALUE: "(value)",
    _PLAIN_VALUE: "(value)",
    refs.MEMBER: "(member)",
    refs.STACK: "(stack)",
}


class _Strings:
    """The strings of the file, each once, in the order they were first needed."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}

    def row(self, text: str) -> int:
        return self.rows.setdefault(text, len(self.rows))


def write(source: Source, stream: IO[bytes], progress: Progress) -> None:
    """Write the snapshot; `progress` is told how much of how much is done, in objects."""
    strings = _Strings()
    groups = list(_groups(source))
    objects, first_object = len(source.columns), 2 + len(groups)
    root_edges = 1 + sum(1 + len(rows) for _, rows, _ in groups)
    head = {
        "meta": _META,
        "node_count": first_object + objects,
        "edge_count": root_edges + len(source.columns.edges),
        "trace_function_count": 0,
    }
    stream.write(b'{"snapshot":' + json.dumps(head).encode() + b',\n"nodes":[')
    # The root, "(GC roots)", where DevTools measures distances from, and the kinds of roots.
    parts = [_node(strings.row(""), 1, 1), _node(strings.row("(GC roots)"), 3, len(groups))]
    parts += [
        _node(strings.row(f"({name})"), 5 + 2 * number, len(rows))
        for number, (name, rows, _) in enumerate(groups)
    ]
    stream.write(_numbers(np.concatenate(parts)))
    type_rows = np.array([strings.row(name) for name in source.index.type_names], dtype=np.int64)
    for start in range(0, objects, _CHUNK):
        stream.write(b",\n" + _numbers(_nodes(source, type_rows, first_object, start)))
        progress(start, 4 * objects)

    stream.write(b'],\n"edges":[')
    width = len(_NODE_FIELDS)
    heads = [(_INTERNAL, strings.row("(GC roots)"), width)]
    heads += [(_ELEMENT, 1 + number, (2 + number) * width) for number in range(len(groups))]
    stream.write(_numbers(np.array(heads, dtype=np.int64)))
    for _, rows, names in groups:
        edges = np.empty((len(rows), 3), dtype=np.int64)
        edges[:, 0], edges[:, 1], edges[:, 2] = _ELEMENT, np.arange(len(rows)), (rows + first_object) * width
        if names is not None:
            edges[:, 0], edges[:, 1] = _INTERNAL, [strings.row(source.columns.text(name)) for name in names]
        if len(rows):
            stream.write(b",\n" + _numbers(edges))
    for start in range(0, objects, _CHUNK):
        edges = _edges(source, strings, start, first_object * width, width)
        if len(edges):
            stream.write(b",\n" + _numbers(edges))
        progress(objects + 3 * start, 4 * objects)
    stream.write(
        b'],\n"trace_function_infos":[],\n"trace_tree":[],\n"samples":[],\n"locations":[],\n"strings":['
    )
    for row, text in enumerate(strings.rows):
        stream.write(b",\n"[: 2 * bool(row)] + json.dumps(text).encode())
    stream.write(b"]}\n")


def _groups(source: Source) -> Iterator[tuple[str, Array, Array | None]]:
    """Give the kinds of roots: name, the objects that begin there, and the strings that name them."""
    index, roots = source.index, source.columns.roots
    rooted = np.zeros(len(index), dtype=bool)
    for kind, name in _ROOTS.items():
        of_kind = roots[roots["kind"] == kind]
        _, first = np.unique(of_kind["object"], return_index=True)
        of_kind = of_kind[np.sort(first)]
        of_kind = of_kind[~rooted[of_kind["object"]]]
        rooted[of_kind["object"]] = True
        yield name, of_kind["object"].astype(np.int64), of_kind["name"]
    yield "native references", np.flatnonzero(index.natively_held & ~rooted), None
    yield "immortal objects", np.flatnonzero(index.immortal & ~rooted), None
    # Garbage that nothing dominates: what the rest of it hangs on.
    yield "garbage", np.sort(index.garbage[index.idom[index.garbage] == NONE]), None


def _node(name: int, number: int, edges: int) -> Array:
    return np.array([_SYNTHETIC, name, number, 0, edges, 0, 0], dtype=np.int64)


def _nodes(source: Source, type_rows: Array, first_object: int, start: int) -> Array:
    columns = source.columns
    shapes = columns.shape[start : start + _CHUNK]
    count = len(shapes)
    nodes = np.zeros((count, len(_NODE_FIELDS)), dtype=np.int64)
    nodes[:, 0] = _OBJECT
    nodes[:, 1] = type_rows[columns.shapes["type"][shapes]]
    nodes[:, 2] = 2 * (np.arange(start, start + count) + first_object) + 1  # V8's own are odd
    nodes[:, 3] = np.minimum(source.index.sizes[start : start + count], _SIZE_MAX)
    nodes[:, 4] = np.diff(columns.first[start : start + count + 1])
    return nodes


def _edges(source: Source, strings: _Strings, start: int, offset: int, width: int) -> Array:
    """Return the edges of a chunk of objects: type, name or index, and where the target's node begins."""
    stop = min(start + _CHUNK, len(source.columns))
    found = refs.references(source.columns, source.texts, start, stop)
    kind = found.kind.copy()
    values = np.flatnonzero(kind == refs.VALUE)  # each right behind its key
    text_keys = source.index.category[found.target[values - 1]] == Category.STR
    kind[values[~text_keys]] = _PLAIN_VALUE
    # One number for each different name, so that each becomes text once.
    code = kind.astype(np.uint64) << np.uint64(32) | found.name
    code[kind == refs.ELEMENT] = refs.ELEMENT << 32
    different, which = np.unique(code, return_inverse=True)
    names = np.array([_name(source, strings, int(one)) for one in different], dtype=np.int64).reshape(-1, 2)
    edges = np.empty((len(code), 3), dtype=np.int64)
    edges[:, :2] = names[which]
    edges[:, 2] = found.target.astype(np.int64) * width + offset
    elements = np.flatnonzero(kind == refs.ELEMENT)
    edges[elements, 1] = found.position[elements]
    return edges


def _name(source: Source, strings: _Strings, code: int) -> tuple[int, int]:
    """Return an edge's type and the row of its name."""
    kind, name = code >> 32, code & NONE
    if kind == refs.ELEMENT:
        return _ELEMENT, 0  # the index is to come
    if name == NONE or kind not in (refs.ATTRIBUTE, refs.VALUE, _PLAIN_VALUE):
        return _INTERNAL, strings.row(_ANONYMOUS.get(kind, ""))
    text = source.columns.text(name)
    if kind == refs.VALUE:
        text = f"[{text!r}]"
    elif kind == _PLAIN_VALUE:
        text = f"[{text}]"
    return _PROPERTY, strings.row(text)


def _numbers(array: Array) -> bytes:
    return ",".join(map(str, array.ravel().tolist())).encode()
