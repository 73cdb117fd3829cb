"""Heap snapshots made from a small description; `encode` is made of the layout alone, not of the reader.

    heap = Heap()
    rows = heap.sequence(heap.add("app.UserActivity", size=72) for _ in range(3))
    heap.module("app.cache", CACHE=heap.mapping({"u42": heap.add("app.Export", named={"rows": rows})}))
    heap.write(path)

Objects are their row numbers, in the order they were added. Refcounts are those that the edges and roots
make, plus `native`, unless said otherwise.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from outlive.model import heap_layout as layout
from outlive.model.heap_layout import Category, FrameState, Rest, RootKind, TypeFlag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

TAKEN = 1_700_000_000.0
PID = 4321
IMMORTAL = layout.NONE

_CATEGORIES = {
    "module": Category.MODULE,
    "type": Category.TYPE,
    "dict": Category.DICT,
    "list": Category.LIST,
    "tuple": Category.TUPLE,
    "set": Category.SET,
    "frozenset": Category.SET,
    "str": Category.STR,
    "bytes": Category.BYTES,
    "int": Category.INT,
    "function": Category.FUNCTION,
    "method": Category.METHOD,
    "builtin_function_or_method": Category.BUILTIN,
    "cell": Category.CELL,
    "code": Category.CODE,
    "frame": Category.FRAME,
    "generator": Category.GENERATOR,
    "coroutine": Category.COROUTINE,
    "async_generator": Category.ASYNC_GENERATOR,
    "traceback": Category.TRACEBACK,
    "_asyncio.Task": Category.TASK,
    "_asyncio.Future": Category.FUTURE,
    "_contextvars.Context": Category.CONTEXT,
    "_contextvars.ContextVar": Category.CONTEXT_VARIABLE,
    "weakref.ReferenceType": Category.WEAK_REFERENCE,
    "thread": Category.THREAD,
}
_RESTS = {
    Category.DICT: Rest.MAPPING,
    Category.LIST: Rest.SEQUENCE,
    Category.TUPLE: Rest.SEQUENCE,
    Category.SET: Rest.SET,
    Category.FRAME: Rest.STACK,
}
_ATOMS = {Category.STR, Category.BYTES, Category.INT, Category.CODE}


@dataclass
class Thing:
    """An object as described."""

    type: str
    size: int
    refcount: int | None
    native: int
    named: list[tuple[str, int]]
    rest: list[int]
    meaning: Rest
    address: int


@dataclass
class Heap:
    """A heap to describe and to write."""

    things: list[Thing] = field(default_factory=list)
    types: dict[str, tuple[int, Category, TypeFlag, int]] = field(default_factory=dict)
    texts: dict[int, str] = field(default_factory=dict)
    codes: dict[int, tuple[str, str, int]] = field(default_factory=dict)
    frames: dict[int, tuple[int, int, FrameState]] = field(default_factory=dict)
    roots: list[tuple[int, RootKind, str]] = field(default_factory=list)
    contents: dict[int, int] = field(default_factory=dict)
    sites: list[tuple[str, str, int]] = field(default_factory=list)
    samples: list[tuple[int, int, float, float, float]] = field(default_factory=list)
    modules: int | None = None

    def type(
        self,
        name: str,
        category: Category | None = None,
        *,
        flags: TypeFlag | None = None,
        basicsize: int = 16,
        object: int = layout.NONE,  # noqa: A002 - its name in the format
    ) -> None:
        """Describe a type; one that was not gets its category by its name."""
        if category is None:
            category = _CATEGORIES.get(name, Category.OTHER)
        if flags is None:
            flags = TypeFlag(0) if category in _ATOMS else TypeFlag.COLLECTED
            flags |= TypeFlag.HEAP if "." in name else TypeFlag(0)
        self.types[name] = (object, category, flags, basicsize)

    def add(  # noqa: PLR0913 - what an object is made of
        self,
        type: str = "object",  # noqa: A002 - its name in the format
        *,
        size: int = 48,
        refcount: int | None = None,
        native: int = 0,
        named: Mapping[str, int] | None = None,
        rest: Iterable[int] = (),
        meaning: Rest | None = None,
        text: str | None = None,
        address: int | None = None,
        root: tuple[RootKind, str] | None = None,
        content: int | None = None,
    ) -> int:
        """Add an object and return its row. `native`: references that no object here has."""
        if type not in self.types:
            self.type(type)
        row = len(self.things)
        if meaning is None:
            meaning = _RESTS.get(self.types[type][1], Rest.OTHER)
        if address is None:
            address = 0 if self.types[type][1] == Category.THREAD else 0x7F00_0000_0000 + 64 * row
        edges = list((named or {}).items())
        self.things.append(Thing(type, size, refcount, native, edges, list(rest), meaning, address))
        if text is not None:
            self.texts[row] = text
        if root is not None:
            self.roots.append((row, *root))
        if content is not None:
            self.contents[row] = content
        return row

    def refer(self, holder: int, name: str, held: int) -> None:
        """Add a named reference."""
        self.things[holder].named.append((name, held))

    def append(self, holder: int, *held: int) -> None:
        """Add references without a name."""
        self.things[holder].rest += held

    def text(self, value: str, size: int | None = None) -> int:
        """Add a str."""
        return self.add("str", size=49 + len(value) if size is None else size, text=value)

    def sequence(self, items: Iterable[int] = (), type: str = "list") -> int:  # noqa: A002 - as in add
        """Add a list, or another sequence."""
        items = list(items)
        return self.add(type, size=56 + 8 * len(items), rest=items)

    def mapping(self, items: Mapping[str, int] | None = None) -> int:
        """Add a dict with str keys."""
        rest = [row for key, value in (items or {}).items() for row in (self.text(key), value)]
        return self.add("dict", size=64 + 16 * len(rest), rest=rest)

    def put(self, mapping: int, key: str, value: int) -> None:
        """Add an entry to a dict."""
        self.append(mapping, self.text(key), value)

    def module(self, name: str, **variables: int) -> int:
        """Add a module with these globals, and its entry in sys.modules, which is a root."""
        if self.modules is None:
            self.modules = self.add("dict", size=64, root=(RootKind.INTERPRETER, "sys.modules"))
        row = self.add("module", size=72, named={"__dict__": self.mapping(variables)}, text=name)
        self.put(self.modules, name, row)
        return row

    def code(self, name: str, file: str, line: int) -> int:
        """Add a code object."""
        row = self.add("code", size=200)
        self.codes[row] = (name, file, line)
        return row

    def frame(  # noqa: PLR0913 - what a frame is made of
        self,
        code: int,
        line: int,
        locals: Mapping[str, int] | None = None,  # noqa: A002 - its name in Python
        *,
        type: str = "frame",  # noqa: A002 - as in add
        state: FrameState = FrameState.SUSPENDED,
        stack: Iterable[int] = (),
        address: int | None = None,
    ) -> int:
        """Add a frame, or a generator or coroutine (`type`), at `line` of `code`, a row of `code()`."""
        named = {"__code__": code} | dict(locals or {})
        row = self.add(type, size=120, named=named, rest=stack, meaning=Rest.STACK, address=address)
        self.frames[row] = (code, line, state)
        return row

    def thread(self, name: str, frames: Sequence[int] = ()) -> int:
        """Add a thread, which is a root."""
        return self.add("thread", size=0, rest=frames, text=name, root=(RootKind.THREAD, name))

    def encode(self) -> bytes:
        """Return the file's bytes."""
        return encode(self.sections(), objects=len(self.things), edges=sum(map(_degree, self.things)))

    def write(self, path: Path) -> Path:
        """Write the file and return its path."""
        path.write_bytes(self.encode())
        return path

    def refcounts(self) -> list[int]:
        """Return each object's refcount."""
        counts = [thing.native for thing in self.things]
        for thing in self.things:
            for held in (*(held for _, held in thing.named), *thing.rest):
                counts[held] += 1
        for row, _, _ in self.roots:
            counts[row] += 1
        given = [thing.refcount for thing in self.things]
        return [counts[row] if count is None else count for row, count in enumerate(given)]

    def sections(self) -> dict[str, bytes]:
        """Return each section's bytes."""
        strings = _Strings()
        types = {name: row for row, name in enumerate(self.types)}
        shapes: dict[tuple[int, Rest, tuple[str, ...]], int] = {}
        names: list[int] = []
        shape_rows, columns = [], []
        first, edges, large = [0], list[int](), list[tuple[int, int, int]]()
        for row, thing in enumerate(self.things):
            key = (types[thing.type], thing.meaning, tuple(name for name, _ in thing.named))
            if key not in shapes:
                shapes[key] = len(shapes)
                shape_rows.append((*key[:2], len(key[2]), len(names)))
                names += map(strings.row, key[2])
            size = thing.size
            if size >= layout.NONE:
                large.append((row, 0, size))
                size = layout.NONE
            columns.append((thing.address, size, shapes[key]))
            edges += [held for _, held in thing.named]
            edges += thing.rest
            first.append(len(edges))
        codes = [
            (row, strings.row(name), strings.row(file), line)
            for row, (name, file, line) in sorted(self.codes.items())
        ]
        type_rows = [
            (held, strings.row(name), category, flags, basicsize)
            for name, (held, category, flags, basicsize) in self.types.items()
        ]
        texts = [(row, strings.row(text)) for row, text in sorted(self.texts.items())]
        roots = [(row, kind, strings.row(name)) for row, kind, name in self.roots]
        rows: dict[str, Sequence[int] | Sequence[tuple[int, ...]]] = {
            "address": [address for address, _, _ in columns],
            "size": [size for _, size, _ in columns],
            "shape": [shape for _, _, shape in columns],
            "refcount": self.refcounts(),
            "first": first,
            "edges": edges,
            "large": large,
            "shapes": shape_rows,
            "shape_names": names,
            "types": type_rows,
            "codes": codes,
            "frames": [(row, *frame) for row, frame in sorted(self.frames.items())],
            "texts": texts,
            "roots": roots,
            "contents": [(row, 0, content) for row, content in sorted(self.contents.items())],
            "sites": [(strings.row(name), strings.row(file), line) for name, file, line in self.sites],
            "string_offsets": strings.offsets,
            "strings": strings.data,
        }
        rows_of_samples = [(*sample, 0) for sample in sorted(self.samples)]
        samples = np.array(rows_of_samples, layout.ROWS["samples"]).tobytes()
        return {
            name: samples if name == "samples" else np.array(rows[name], dtype).tobytes()
            for name, dtype in layout.ROWS.items()
        }


class _Strings:
    """The strings of a file, each once."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.offsets = [0]
        self._rows: dict[str, int] = {}

    def row(self, text: str) -> int:
        if text not in self._rows:
            self._rows[text] = len(self._rows)
            self.data += text.encode()
            self.offsets.append(len(self.data))
        return self._rows[text]


def encode(
    sections: Mapping[str, bytes],
    *,
    objects: int,
    edges: int,
    state: int = layout.COMPLETE,
    version: int = layout.VERSION,
) -> bytes:
    """Return a file with these sections, each named in layout.ROWS."""
    body = bytearray(layout.HEADER_BYTES)
    places = []
    for name in layout.ROWS:
        body += bytes(-len(body) % 8)
        places.append((len(body), len(sections[name])))
        body += sections[name]
    layout.HEAD.pack_into(body, 0, layout.MAGIC, version, layout.HEADER_BYTES, len(body))
    taken, pause, walk, rss = int(TAKEN * 1e9), 12_000_000, 340_000_000, 700 << 20
    info = (PID, 0x030C01F0, state, 0, taken, pause, walk, objects, edges, rss)
    layout.INFO.pack_into(body, layout.INFO_OFFSET, *info)
    for number, place in enumerate(places):
        struct.pack_into("<QQ", body, layout.SECTIONS_OFFSET + 16 * number, *place)
    return bytes(body)


def _degree(thing: Thing) -> int:
    return len(thing.named) + len(thing.rest)
