"""What keeps unusually much alive, found as Eclipse MAT does it: big dominators, alone or as many of a type.

A module, its dict, a thread and a frame hold everything there is, so they are looked through; functions,
classes and code are the program itself and suspected only if one alone is big.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outlive.heap import sites
from outlive.model.heap import Suspect, Total
from outlive.model.heap_layout import NONE, Category, RootKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from outlive.heap.index import Index

    Bools = NDArray[np.bool_]
    U4 = NDArray[np.uint32]

SHARE = 0.1
# Down the tree as long as one object keeps that much of what the one above keeps.
_FOLLOWED_SHARE = 0.7
_LEVELS_MAX = 64
_ALIKE_MAX = 8
_CONTENT_MAX = 5
_STRUCTURE = (Category.MODULE, Category.THREAD, Category.FRAME)
_WITH_DICTS = (Category.MODULE, Category.TYPE)
_PROGRAM = (Category.TYPE, Category.FUNCTION, Category.BUILTIN, Category.METHOD, Category.CODE)


def suspects(index: Index, held: Callable[[int], str], share: float = SHARE) -> list[Suspect]:
    """Return objects, and groups of one type, that retain at least `share` of all bytes; largest first.

    `held` says how an object is reached.
    """
    top = _top(index)
    least_bytes = max(1, int(share * index.total_bytes))
    big = index.retained[top] >= least_bytes
    heirs = _heirs(index)
    found = [_one(index, held, row, _accumulation(index, heirs, row)) for row in top[big].tolist()]
    found += _groups(index, held, top[~big], least_bytes)
    return sorted(found, key=lambda suspect: -suspect.retained_bytes)


def _top(index: Index) -> U4:
    """Return the highest objects of the dominator tree that are not structure: none dominates another."""
    structure = np.isin(index.category, _STRUCTURE) | _module_dicts(index)
    roots = index.columns.roots
    structure[roots["object"][roots["kind"] != RootKind.STACK]] = True
    inner = np.flatnonzero(structure)
    above = index.idom[inner]
    # A structure is looked through if all above it are.
    through = structure & (index.idom == NONE)
    nested, above = inner[above != NONE], above[above != NONE]
    for _ in range(_LEVELS_MAX):
        before = np.count_nonzero(through[nested])
        through[nested] = through[above]
        if np.count_nonzero(through[nested]) == before:
            break
    idom = index.idom
    at_top = (idom == NONE) | through[np.where(idom == NONE, 0, idom)]
    return np.flatnonzero(at_top & ~through).astype(np.uint32)


def _module_dicts(index: Index) -> Bools:
    """Say which objects are the dict of a module or a class."""
    columns = index.columns
    owners = np.flatnonzero(np.isin(index.category, _WITH_DICTS))
    begins = columns.first[owners].astype(np.int64)
    degrees = columns.first[owners + 1] - begins
    steps = np.arange(degrees.sum()) - np.repeat(np.cumsum(degrees) - degrees, degrees)
    found: Bools = np.zeros(len(index), bool)
    found[columns.edges[np.repeat(begins, degrees) + steps]] = True
    found &= index.category == Category.DICT
    return found


def _one(index: Index, held: Callable[[int], str], row: int, at: int) -> Suspect:
    retained = int(index.retained[row])
    content = np.flatnonzero(index.idom == at).astype(np.uint32)
    return Suspect(
        count=1,
        type=index.type_names[index.type[row]],
        retained_bytes=retained,
        share=retained / index.total_bytes,
        holder=held(row),
        accumulates_at=held(at),
        content=_content(index, content),
        made=sites.made(index.columns, content),
    )


def _heirs(index: Index) -> U4:
    """Return, by object, the one child that keeps nearly all that it keeps; NONE: several do, or none."""
    idom, retained = index.idom, index.retained
    heirs = np.full(len(index), NONE, np.uint32)
    below = np.flatnonzero(idom != NONE)
    above = idom[below]
    most = retained[below] >= _FOLLOWED_SHARE * retained[above]
    heirs[above[most]] = below[most]
    return heirs


def _accumulation(index: Index, heirs: U4, row: int) -> int:
    """Return where down the tree, from `row`, retained bytes fall sharply: below are many objects.

    In a chain of objects of a kind that is where the chain begins.
    """
    met: dict[int, list[int]] = {}
    while True:
        alike = met.setdefault(int(index.type[row]), [])
        alike.append(row)
        if len(alike) == _ALIKE_MAX:
            return alike[0]
        if heirs[row] == NONE:
            return row
        row = int(heirs[row])


def _groups(index: Index, held: Callable[[int], str], top: U4, least_bytes: int) -> list[Suspect]:
    category = index.category[top]
    top = top[~np.isin(category, _PROGRAM) & ~index.immortal[top]]
    types = index.type[top]
    retained = np.bincount(types, index.retained[top], len(index.type_names))
    found = []
    for kind in np.flatnonzero(retained >= least_bytes).tolist():
        members = top[types == kind]
        found.append(
            Suspect(
                count=len(members),
                type=index.type_names[kind],
                retained_bytes=int(retained[kind]),
                share=float(retained[kind]) / index.total_bytes,
                holder=held(int(members[np.argmax(index.retained[members])])),
                accumulates_at=_common_holder(index, held, members),
                content=_content(index, members),
                made=sites.made(index.columns, members),
            )
        )
    return found


def _common_holder(index: Index, held: Callable[[int], str], members: U4) -> str:
    """Return what most of the members hang on, "" if nothing holds that many."""
    parents = index.parent[members]
    parents = parents[(parents != NONE) & (parents != members)]
    if not len(parents):
        return ""
    rows, counts = np.unique(parents, return_counts=True)
    most = int(np.argmax(counts))
    return held(int(rows[most])) if counts[most] >= _FOLLOWED_SHARE * len(members) else ""


def _content(index: Index, rows: U4) -> tuple[Total, ...]:
    """Return what these objects, none of which dominates another, come to by type; the largest few."""
    types = index.type[rows]
    names = index.type_names
    counts = np.bincount(types, minlength=len(names))
    shallow = np.bincount(types, index.sizes[rows], len(names))
    retained = np.bincount(types, index.retained[rows], len(names))
    largest = np.argsort(-retained, kind="stable")[:_CONTENT_MAX]
    return tuple(
        Total(names[kind], int(counts[kind]), int(shallow[kind]), int(retained[kind]))
        for kind in largest.tolist()
        if counts[kind]
    )
