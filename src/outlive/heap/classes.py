"""Objects that are held alike, told apart at once for all: by a hash over the ways to them.

A way's hash is made of each object on it, as far as its words tell it from others (a module, a class, a
function's code by themselves, others by their shape), and of the kind of each reference; of long ways, of the
end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outlive.model.heap_layout import NONE, Category

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from outlive.heap.columns import Columns
    from outlive.heap.ways import Ways

    Array = NDArray[Any]

_DEEP_MAX = 64  # a power of two
_PLACE = 0xFFFF_FFFF
_NAMED_BY_THEMSELVES = (Category.MODULE, Category.TYPE, Category.CODE, Category.THREAD)
_FACTOR, _SHIFT = np.uint64(0x9E37_79B9_7F4A_7C15), np.uint64(29)


def class_of_units(columns: Columns, ways: Ways, units: Array, units_of: Callable[[Array], Array]) -> Array:
    """Return a number for each unit, equal for those that are held alike.

    Args:
        columns: of the snapshot.
        ways: the tree of best ways.
        units: as `units_of` tells them: the row of the holder times 2**32, and the kind of reference;
            negative without a holder.
        units_of: what gives the units of ascending rows.

    """
    inside = units >= 0
    nodes = _with_those_above(ways, units[inside] >> 32)
    if not len(nodes):
        return units.astype(np.uint64)
    keys = units_of(nodes)
    above, kind = np.where(keys >= 0, keys >> 32, -1), keys & _PLACE
    place = np.minimum(np.searchsorted(nodes, above), len(nodes) - 1)
    # Beyond a way's end is one node more, which is its own holder.
    end = len(nodes)
    holders = np.append(np.where(nodes[place] == above, place, end), end)
    hashes = np.append(_mixed(_own(columns, nodes), np.where(keys >= 0, kind, keys)), np.uint64(0))
    # Each round hashes twice as long a part of the ways.
    for _ in range(_DEEP_MAX.bit_length() - 1):
        if (holders == end).all():
            break
        hashes, holders = _mixed(hashes, hashes[holders]), holders[holders]
    of_holder = hashes[np.minimum(np.searchsorted(nodes, units >> 32), len(nodes) - 1)]
    return np.where(inside, _mixed(of_holder, units & _PLACE), units.astype(np.uint64))


def _with_those_above(ways: Ways, rows: Array) -> Array:
    """Return the rows and those on the ways to them, ascending, each once."""
    is_found = np.zeros(len(ways.parent), bool)
    is_found[rows] = True
    last = np.empty(len(ways.parent), np.uint32)
    latest = rows
    for _ in range(_DEEP_MAX):
        above = ways.parent[latest]
        above = above[above != NONE]
        above = above[~is_found[above]]
        if not len(above):
            break
        # Each once, without sorting them: of equal ones the last one written stays.
        numbers = np.arange(len(above), dtype=np.uint32)
        last[above] = numbers
        latest = above[last[above] == numbers]
        is_found[latest] = True
    return np.flatnonzero(is_found)


def _own(columns: Columns, rows: Array) -> Array:
    """Return, by row, what tells an object from others of its type in words."""
    shapes = columns.shape[rows].astype(np.int64)
    category = columns.shape_category[shapes]
    own = shapes
    by_itself = np.isin(category, _NAMED_BY_THEMSELVES)
    own = np.where(by_itself, -1 - rows, own)
    code = np.full(len(rows), NONE, np.int64)
    frames = columns.frames["object"]
    at = np.minimum(np.searchsorted(frames, rows), max(len(frames) - 1, 0))
    if len(frames):
        has_frame = frames[at] == rows
        code[has_frame] = columns.frames["code"][at[has_frame]]
    functions = np.flatnonzero(category == Category.FUNCTION)
    for shape in np.unique(shapes[functions]):
        of_shape = functions[shapes[functions] == shape]
        described = columns.shapes[shape]
        first = int(described["names"])
        names = columns.shape_names[first : first + int(described["named"])]
        for number, name in enumerate(names.tolist()):
            if columns.text(name) == "__code__":
                code[of_shape] = columns.edges[columns.first[rows[of_shape]] + np.uint32(number)]
    return np.where(code != NONE, _mixed(shapes, code).view(np.int64), own)


def _mixed(one: Array, other: Array) -> Array:
    """Return a hash of two columns of numbers."""
    hashed = (one.astype(np.uint64) * _FACTOR ^ other.astype(np.uint64)) * _FACTOR
    mixed: Array = hashed ^ hashed >> _SHIFT
    return mixed
