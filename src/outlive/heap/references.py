"""What references mean: by which name, index or key one object refers to another. Arrays, no text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outlive.model.heap_layout import NONE, Rest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from outlive.heap.columns import Columns

    Array = NDArray[Any]

OTHER, ATTRIBUTE, ELEMENT, KEY, VALUE, MEMBER, STACK = range(7)
KINDS = {
    OTHER: "other",
    ATTRIBUTE: "attribute",
    ELEMENT: "element",
    KEY: "key",
    VALUE: "value",
    MEMBER: "member",
    STACK: "stack",
}
_OF_REST = np.zeros(1 << 16, dtype=np.uint8)  # what a newer writer adds is OTHER
_OF_REST[[Rest.SEQUENCE, Rest.MAPPING, Rest.SET, Rest.STACK]] = ELEMENT, KEY, MEMBER, STACK


@dataclass(frozen=True)
class References:
    """References in the order they lie in the file, a row each.

    `position` counts those of the same kind, from 0: a list's index, an entry of a dict. `name` is the string
    of an attribute, or of the key by which a dict has a value or the key itself; NONE if nothing tells.
    """

    source: Array
    target: Array
    kind: Array
    position: Array
    name: Array


def texts(columns: Columns) -> Array:
    """Return the string that tells of each object, NONE for most."""
    found = np.full(len(columns), NONE, dtype=np.uint32)
    found[columns.texts["object"]] = columns.texts["text"]
    return found


def references(columns: Columns, text: Array, start: int = 0, stop: int | None = None) -> References:
    """Return the references of the objects from `start` to before `stop`; `text` is what `texts` gives."""
    if stop is None:
        stop = len(columns)
    first = columns.first[start : stop + 1].astype(np.int64)
    target = columns.edges[first[0] : first[-1]]
    degrees = np.diff(first)
    source = np.repeat(np.arange(start, stop, dtype=np.uint32), degrees)
    order = np.arange(len(target)) - np.repeat(first[:-1] - first[0], degrees)
    shape = columns.shapes[columns.shape[source]]
    place = order - shape["named"]  # negative for those with names
    kind = _OF_REST[shape["rest"]]
    position = place.copy()
    name = np.full(len(target), NONE, dtype=np.uint32)

    pairs = np.flatnonzero((kind == KEY) & (place >= 0))
    odd = place[pairs] & 1
    kind[pairs] += odd.astype(np.uint8)  # KEY + 1 is VALUE
    position[pairs] >>= 1
    name[pairs] = text[target[pairs - odd]]

    named = np.flatnonzero(place < 0)
    kind[named] = ATTRIBUTE
    position[named] = order[named]
    name[named] = columns.shape_names[shape["names"][named].astype(np.int64) + order[named]]
    return References(source, target, kind, position.astype(np.uint32), name)
