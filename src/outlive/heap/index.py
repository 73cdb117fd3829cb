"""What is worked out of a snapshot when something first asks: who refers to whom, roots, dominators.

Arrays have a row an object. The graph functions are native.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from outlive.heap.core import native
from outlive.model.heap_layout import NONE, RootKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from outlive.heap.columns import Columns

    U1 = NDArray[np.uint8]
    U4 = NDArray[np.uint32]
    U8 = NDArray[np.uint64]

# Kinds of roots beside RootKind's: held by native code, and immortal.
UNREACHED, NATIVE, IMMORTAL = 0, 100, 101
# First the interpreter's roots, so that what a module holds is found there though a frame's globals do too.
_KINDS = (RootKind.INTERPRETER, RootKind.THREAD, RootKind.STATIC)
_SINGLETONS = {"NoneType", "bool", "ellipsis", "NotImplementedType"}
_STATIC_REFCOUNT = 900_000_000


class Index:
    """Arrays by object, each worked out when first asked for and kept."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    def __len__(self) -> int:
        """Return how many objects there are."""
        return len(self.columns)

    # -- what the columns say, in another form

    @cached_property
    def sizes(self) -> U8:
        """Shallow bytes."""
        sizes = self.columns.size.astype(np.uint64)
        sizes[self.columns.large["object"]] = self.columns.large["size"]
        return sizes

    @cached_property
    def total_bytes(self) -> int:
        """All objects' shallow bytes."""
        return int(self.sizes.sum())

    @cached_property
    def type(self) -> U4:
        """Row of `types`."""
        return np.take(self.columns.shapes["type"], self.columns.shape)

    @cached_property
    def type_names(self) -> list[str]:
        """By row of `types`: "module.Qualified.name"."""
        return [self.columns.text(name) for name in self.columns.types["name"]]

    @cached_property
    def category(self) -> U1:
        """Category of the type."""
        return np.take(self.columns.shape_category, self.columns.shape)

    @cached_property
    def nominal(self) -> U4:
        """Those that are no objects in Python: threads, and frames that run. Their rows, ascending."""
        return np.flatnonzero(self.columns.address == 0).astype(np.uint32)

    # -- references turned round

    @property
    def _edges(self) -> tuple[memoryview, memoryview]:
        return self.columns.first.data, self.columns.edges.data

    @cached_property
    def _reverse(self) -> tuple[U4, U4]:
        into_first = np.empty(len(self) + 1, np.uint32)
        into = np.empty(len(self.columns.edges), np.uint32)
        native.graph_reverse(*self._edges, into_first.data, into.data)
        return into_first, into

    @property
    def into_first(self) -> U4:
        """Where an object's holders begin in `into`; one row more than objects."""
        return self._reverse[0]

    @property
    def into(self) -> U4:
        """Who refers to each object, as often as it does."""
        return self._reverse[1]

    @cached_property
    def in_degree(self) -> U4:
        """How many references to it are known."""
        return np.diff(self.into_first)

    # -- whence they are held

    @cached_property
    def immortal(self) -> NDArray[np.bool_]:
        """Whether it never dies."""
        immortal: NDArray[np.bool_] = self.columns.refcount == NONE
        return immortal

    def are_shared(self, rows: U4) -> bool:
        """Return whether the interpreter keeps all of these objects for whoever uses them.

        Before 3.12, where none is immortal, what it has statically begins with a refcount of a billion.
        """
        singletons = np.array([name in _SINGLETONS for name in self.type_names], bool)
        shared = self.columns.refcount[rows] >= _STATIC_REFCOUNT
        return bool((shared | singletons[self.type[rows]]).all())

    @cached_property
    def natively_held(self) -> NDArray[np.bool_]:
        """Whether it has more references than are known: native code has them."""
        return (self.columns.refcount > self.in_degree) & ~self.immortal

    @cached_property
    def _reached(self) -> tuple[U4, U1]:
        parent = np.full(len(self), NONE, np.uint32)
        kinds = np.zeros(len(self), np.uint8)
        roots = self.columns.roots

        def reach(starts: U4, kind: int) -> None:
            if native.graph_reach(*self._edges, starts.data, parent.data):
                kinds[(parent != NONE) & (kinds == UNREACHED)] = kind

        for kind in _KINDS:
            reach(np.ascontiguousarray(roots["object"][roots["kind"] == kind]), kind)
        reach(_rows(self.natively_held & (parent == NONE)), NATIVE)
        reach(_rows(self.immortal & (parent == NONE)), IMMORTAL)
        return parent, kinds

    @property
    def parent(self) -> U4:
        """The object it was reached from, nearest to a root; a root's is itself. NONE for garbage."""
        return self._reached[0]

    @property
    def root_kind(self) -> U1:
        """RootKind of the root it was reached from, NATIVE, IMMORTAL, or UNREACHED for garbage."""
        return self._reached[1]

    # -- who alone holds what

    @cached_property
    def starts(self) -> U4:
        """All that is held from outside the heap, so that nothing in it alone decides on its life."""
        held = self.natively_held | self.immortal
        roots = self.columns.roots
        held[roots["object"][np.isin(roots["kind"], _KINDS)]] = True
        return _rows(held)

    @cached_property
    def _dominators(self) -> tuple[U4, U4, int]:
        idom, order = np.empty(len(self), np.uint32), np.empty(len(self), np.uint32)
        reached = native.graph_dominators(
            *self._edges,
            self.into_first.data,
            self.into.data,
            self.starts.data,
            idom.data,
            order.data,
            True,  # noqa: FBT003 - garbage's trees too
        )
        return idom, order, reached

    @property
    def idom(self) -> U4:
        """The object that is on every path to it and nearest; NONE: there is none."""
        return self._dominators[0]

    @property
    def order(self) -> U4:
        """All objects, each with what it dominates right behind it; garbage last."""
        return self._dominators[1]

    @property
    def garbage(self) -> U4:
        """What nothing holds but itself, waiting for the collector."""
        return self.order[self._dominators[2] :]

    @cached_property
    def retained(self) -> U8:
        """Bytes that would be freed with it: its own and those it dominates."""
        retained = np.empty(len(self), np.uint64)
        native.graph_retained(self.idom.data, self.order.data, self.sizes.data, retained.data)
        return retained

    def retained_by(self, rows: U4) -> int:
        """Return what would be freed if all of these objects were gone; of garbage, what they dominate."""
        if len(rows) == 1:
            return int(self.retained[rows[0]])
        # Who has a parent is not gone through, so that what is then not reached is what only they lead to.
        parent = np.full(len(self), NONE, np.uint32)
        parent[rows] = rows
        native.graph_reach(*self._edges, self.starts.data, parent.data)
        freed = parent == NONE
        freed[rows] = True
        freed[self.garbage] = False
        groups = np.full(len(self), NONE, np.uint32)
        groups[np.intersect1d(rows, self.garbage)] = 0
        of_garbage = self.retained_by_group(groups, 1)
        return int(self.sizes[freed].sum()) + int(of_garbage[0])

    def retained_by_group(self, groups: U4, count: int) -> U8:
        """Return, by group, what members retain that no other member of it dominates.

        `groups`: each object's, below `count`, or NONE.
        """
        sums = np.zeros(count, np.uint64)
        columns = self.idom.data, self.order.data, self.retained.data, groups.data
        native.graph_retained_by_group(*columns, sums.data)
        return sums


def _rows(mask: NDArray[np.bool_]) -> U4:
    return np.flatnonzero(mask).astype(np.uint32)
