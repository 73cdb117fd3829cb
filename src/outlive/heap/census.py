"""What there is: objects counted and added up by type, module, or anything that groups them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from outlive.errors import UsageError
from outlive.heap import sites
from outlive.model.heap import Total
from outlive.model.heap_layout import NONE, Category

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from outlive.heap.index import Index

    U4 = NDArray[np.uint32]

By = Literal["type", "module", "site"]

_PART = 1 << 16


def census(index: Index, by: By = "type", limit: int | None = None) -> list[Total]:
    """Return the totals by type, by the module types are from, or by the line that made them (sites.py).

    The most retained bytes come first.

    Retained bytes are those that members dominate, each alone: what only several of them together lead to is
    not among them (`Index.retained_by` has that, for one group at a time).

    Raises:
        UsageError: objects can't be grouped by that.

    """
    if by == "site":
        return sites.census(index)[:limit]
    if by == "type":
        names = index.type_names
    elif by == "module":
        names = modules(index)
    else:
        raise UsageError(f"can't take a census by {by!r}", hint='by is "type", "module" or "site"')
    unique = sorted(set(names))
    rows = {name: row for row, name in enumerate(unique)}
    of_type = np.array([rows[name] for name in names], np.uint32)
    groups = np.empty(len(index), np.uint32)
    if len(index):
        of_shape = of_type[index.columns.shapes["type"]]
        for some in _parts(len(index), 0):
            groups[some] = of_shape[index.columns.shape[some]]
    groups[index.nominal] = NONE
    return grouped(index, groups, unique)[:limit]


def grouped(index: Index, groups: U4, names: Sequence[str]) -> list[Total]:
    """Return the totals of groups that have members, the most retained bytes first.

    `groups`: by object, a row of `names`; NONE for those in no group. Threads and frames that run are no
    objects and in no group.
    """
    if (groups[index.nominal] != NONE).any():
        groups = groups.copy()
        groups[index.nominal] = NONE
    outside = len(names)
    counts, shallow = np.zeros(outside + 1, np.int64), np.zeros(outside + 1)
    for some in _parts(len(groups), outside):
        slots = np.minimum(groups[some], np.uint32(outside))
        counts += np.bincount(slots, minlength=outside + 1)
        # Summed up as floats: exact up to 2**53 bytes. Signed integers become such the faster.
        shallow += np.bincount(slots, index.sizes[some].view(np.int64), outside + 1)
    retained = index.retained_by_group(groups, outside)
    totals = [
        Total(names[row], int(counts[row]), int(shallow[row]), int(retained[row]))
        for row in np.flatnonzero(counts[:outside]).tolist()
    ]
    return sorted(totals, key=lambda total: (-total.retained_bytes, -total.shallow_bytes, total.name))


def _parts(count: int, least: int) -> Iterator[slice]:
    """Yield slices of rows, few enough that what numpy makes of them on its way stays in the cache."""
    step = max(_PART, least)
    return (slice(start, start + step) for start in range(0, count, step))


def modules(index: Index) -> list[str]:
    """Return, by row of `types`, the module the type is from."""
    columns = index.columns
    text_of = columns.texts["object"]
    is_module = index.category[text_of] == Category.MODULE
    known = {columns.text(text) for text in columns.texts["text"][is_module]}
    return [_module(name, known) for name in index.type_names]


def _module(name: str, known: set[str]) -> str:
    """Return the module part of "module.Qualified.name": as much of it as is a module."""
    if "." not in name:
        return "builtins"
    module = name
    while module := module.rpartition(".")[0]:
        if module in known:
            return module
    return name.partition(".<locals>")[0].rpartition(".")[0] or name.partition(".")[0]
