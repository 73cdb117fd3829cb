"""What objects are called, and what the references between them are, one at a time and only when reported."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from outlive.model.heap_layout import NONE, Category, FrameState, Rest, TypeFlag
from outlive.model.printable import printable_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from outlive.heap.columns import Columns

    Array = NDArray[Any]

NAMED, ELEMENT, KEY, VALUE, MEMBER, STACK, OTHER = range(7)
_OF_REST = {Rest.OTHER: OTHER, Rest.SEQUENCE: ELEMENT, Rest.MAPPING: KEY, Rest.SET: MEMBER, Rest.STACK: STACK}
_TEXT_MAX = 40
# What a frame refers to besides; as the native core names and orders it.
_BEFORE_LOCALS = ("f_code", "f_func", "f_locals", "frame")


class Label(NamedTuple):
    """What a reference is: its name, or its place among those without; `key`: the key's object of a value."""

    kind: int
    name: str = ""
    place: int = 0
    key: int = NONE


class Code(NamedTuple):
    """A code object's qualified name and where it begins."""

    name: str
    file: str
    line: int


class Frame(NamedTuple):
    """Where a frame, generator or coroutine is."""

    code: Code | None
    line: int
    state: int


class Labels:
    """Names out of a snapshot's columns. All text it gives is printable, and short."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        self._first = columns.first.data  # plain ints, and fast, one at a time
        self._shape = columns.shape.data
        # In one piece, to be searched.
        self._texts = np.ascontiguousarray(columns.texts["object"])
        self._codes = np.ascontiguousarray(columns.codes["object"])
        self._frames = np.ascontiguousarray(columns.frames["object"])
        self._types = dict[int, tuple[str, str, Category]]()
        self._names = dict[int, tuple[str, ...]]()

    # -- objects

    def _type(self, thing: int) -> tuple[str, str, Category]:
        shape = self._shape[thing]
        if shape not in self._types:
            kind = self.columns.types[self.columns.shapes["type"][shape]]
            full = self.columns.text(kind["name"])
            last = full.rpartition(".")[2] or full
            category = Category(int(kind["category"]))
            self._types[shape] = printable_name(full, 120), printable_name(last), category
        return self._types[shape]

    def type_name(self, thing: int) -> str:
        """Return its type's full name."""
        return self._type(thing)[0]

    def type_word(self, thing: int) -> str:
        """Return its type's name without module and classes around it."""
        return self._type(thing)[1]

    def category(self, thing: int) -> Category:
        """Return what kind of object it is."""
        return self._type(thing)[2]

    def text(self, thing: int, limit: int = _TEXT_MAX) -> str | None:
        """Return the text that tells of it: a module's name, a str's first characters."""
        row = _row(self._texts, thing)
        if row is None:
            return None
        return printable_name(self.columns.text(self.columns.texts["text"][row]), limit)

    def code(self, thing: int) -> Code | None:
        """Return what a code object says."""
        row = _row(self._codes, thing)
        if row is None:
            return None
        found = self.columns.codes[row]
        name, file = self.columns.text(found["name"]), self.columns.text(found["file"])
        return Code(printable_name(name), printable_name(file, 120), int(found["line"]))

    def frame(self, thing: int) -> Frame | None:
        """Return where a frame, a generator or a coroutine is."""
        row = _row(self._frames, thing)
        if row is None:
            return None
        found = self.columns.frames[row]
        code = None if found["code"] == NONE else self.code(int(found["code"]))
        return Frame(code, int(found["line"]), FrameState(int(found["state"])))

    @cached_property
    def types_by_object(self) -> dict[int, int]:
        """Row of `types` by the type's own object."""
        return {int(row): at for at, row in enumerate(self.columns.types["object"]) if row != NONE}

    def class_name(self, thing: int) -> str:
        """Return the full name of a type that is an object here."""
        at = self.types_by_object.get(thing)
        if at is not None:
            return printable_name(self.columns.text(self.columns.types["name"][at]), 120)
        # Of a class without instances only its own strings tell.
        name = self.named(thing, "__qualname__", "__name__")
        return self.text(thing, 120) or (name is not None and self.text(name, 120)) or "?"

    def is_heap_type(self, thing: int) -> bool:
        """Whether a type was made by a class statement, or by C code at run time."""
        at = self.types_by_object.get(thing)
        return at is not None and bool(self.columns.types["flags"][at] & TypeFlag.HEAP)

    # -- references

    def degree(self, thing: int) -> int:
        """Return how many references an object has."""
        return self._first[thing + 1] - self._first[thing]

    def names(self, thing: int) -> tuple[str, ...]:
        """Return the names of an object's first references."""
        shape = self._shape[thing]
        if shape not in self._names:
            found = self.columns.shapes[shape]
            start = int(found["names"])
            strings = self.columns.shape_names[start : start + int(found["named"])]
            self._names[shape] = tuple(self.columns.text(string) for string in strings)
        return self._names[shape]

    def length(self, thing: int) -> int:
        """Return how many elements, members or entries it has."""
        rest = self.degree(thing) - len(self.names(thing))
        return rest // 2 if self.columns.shapes["rest"][self._shape[thing]] == Rest.MAPPING else rest

    def named(self, thing: int, *names: str) -> int | None:
        """Return what an object refers to by the first of these names that it has."""
        known = self.names(thing)
        for name in names:
            if name in known:
                return int(self.columns.edges[self._first[thing] + known.index(name)])
        return None

    def label(self, thing: int, edge: int) -> Label:
        """Return what the reference `edge`, one of the object's, is."""
        place = edge - self._first[thing]
        names = self.names(thing)
        if place < len(names):
            return Label(NAMED if names[place] else OTHER, printable_name(names[place]), place)
        place -= len(names)
        kind = _OF_REST[Rest(int(self.columns.shapes["rest"][self._shape[thing]]))]
        if kind == KEY and place % 2:
            return Label(VALUE, "", place // 2, int(self.columns.edges[edge - 1]))
        return Label(kind, "", place // 2 if kind == KEY else place)

    def locals_begin(self, frame: int) -> int:
        """Return from which of its references on a frame's or generator's are its local variables."""
        names = self.names(frame)
        at = names.index(_BEFORE_LOCALS[0]) if _BEFORE_LOCALS[0] in names else 0
        for name in _BEFORE_LOCALS:
            at += names[at : at + 1] == (name,)
        return at

    def free_variable(self, function: int, place: int, count: int) -> str:
        """Return the name of a closure variable, the `place`-th of `count`: code has those last."""
        code = self.named(function, "__code__")
        names = None if code is None else self.named(code, "co_localsplusnames")
        if names is None or self.degree(names) < count:
            return ""
        return self.text(int(self.columns.edges[self._first[names + 1] - count + place])) or ""

    def edges_between(self, thing: int, held: int) -> Iterator[int]:
        """Yield each reference from one object to another."""
        start = self._first[thing]
        targets = self.columns.edges[start : self._first[thing + 1]]
        for place in np.flatnonzero(targets == held):
            yield start + int(place)


def _row(objects: Array, thing: int) -> int | None:
    """Return where `thing` is in a sorted column; None if it is not."""
    at = int(np.searchsorted(objects, np.uint32(thing)))
    return at if at < len(objects) and objects[at] == thing else None
