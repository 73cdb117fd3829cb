"""The dominator tree as people look at it: its largest objects, what is below one, a treemap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from outlive.model.heap import Dominator
from outlive.model.heap_layout import NONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from outlive.heap.index import Index

    U4 = NDArray[np.uint32]
    Held = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Branch:
    """An object of the dominator tree and the largest that it dominates directly.

    `left_out`: how many it dominates directly beside them; `left_out_bytes`: what those retain.
    """

    dominator: Dominator
    branches: tuple[Branch, ...]
    left_out: int
    left_out_bytes: int


def largest(index: Index, held: Held, limit: int = 10, row: int | None = None) -> list[Dominator]:
    """Return the largest that `row` dominates directly, or that nothing dominates: most retained bytes first.

    `held` says how an object is reached.
    """
    children = np.flatnonzero(index.idom == (NONE if row is None else row))
    return [dominator(index, held, child) for child in _largest(index, children, limit).tolist()]


def dominator(index: Index, held: Held, row: int) -> Dominator:
    """Return an object as one of the tree."""
    return Dominator(
        object=row,
        type=index.type_names[index.type[row]],
        shallow_bytes=int(index.sizes[row]),
        retained_bytes=int(index.retained[row]),
        held=held(row),
    )


def tree(  # noqa: PLR0913 - what a treemap shows and leaves out
    index: Index,
    held: Held,
    row: int | None = None,
    *,
    depth: int = 4,
    width: int = 20,
    share: float = 0.005,
) -> tuple[Branch, ...]:
    """Return the tree below `row`, or from its top, for a treemap.

    At most `depth` levels of at most `width` branches an object, each at least `share` of all bytes.
    """
    least_bytes = max(1, int(share * index.total_bytes))
    start = 0 if row is None else int(np.flatnonzero(index.order == row)[0]) + 1
    return _Tree(index, held, width, least_bytes).branches(row, index.order[start:], depth)[0]


@dataclass
class _Tree:
    index: Index
    held: Held
    width: int
    least_bytes: int

    def branches(self, row: int | None, within: U4, depth: int) -> tuple[tuple[Branch, ...], int, int]:
        """Return the branches shown, how many are not, and what those retain.

        `within`: a part of the tree's order that has all below `row`. What is below a child lies between it
        and the next one.
        """
        places = np.flatnonzero(self.index.idom[within] == (NONE if row is None else row))
        children = within[places]
        retained = self.index.retained[children]
        enough = np.flatnonzero(retained >= self.least_bytes) if depth else places[:0]
        ranked = np.lexsort((children[enough], -retained[enough].astype(np.int64)))
        shown = enough[ranked][: self.width]
        ends = np.append(places[1:], len(within))
        made = tuple(
            self.branch(int(children[child]), within[places[child] + 1 : ends[child]], depth - 1)
            for child in shown.tolist()
        )
        left_out_bytes = int(retained.sum()) - int(retained[shown].sum())
        return made, len(children) - len(made), left_out_bytes

    def branch(self, row: int, within: U4, depth: int) -> Branch:
        """Return an object with the branches below it."""
        return Branch(dominator(self.index, self.held, row), *self.branches(row, within, depth))


def _largest(index: Index, rows: NDArray[np.intp], limit: int) -> NDArray[np.intp]:
    """Return the `limit` rows that retain most, those first."""
    retained = index.retained[rows]
    if limit < len(rows):
        least = np.partition(retained, len(rows) - limit)[len(rows) - limit]
        more = rows[retained > least]
        rows = np.concatenate((more, rows[retained == least][: limit - len(more)]))
    return rows[np.lexsort((rows, -index.retained[rows].astype(np.int64)))]
