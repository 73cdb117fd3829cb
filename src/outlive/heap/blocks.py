"""Sampled blocks as objects: which object each belongs to, and how those are held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outlive.heap.holders import Holders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from outlive.heap.snapshot import Snapshot
    from outlive.model.heap import Holder

    Rows = NDArray[Any]


_HEAD_MAX = 64  # bytes before an object: the collector's, and of its attributes


class Blocks:
    """The blocks that were sampled when a snapshot was taken."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._columns, self._index = snapshot.columns, snapshot.index
        self._holders = Holders(snapshot.columns, snapshot.index)
        samples = snapshot.columns.samples
        order = np.argsort(samples["block"], kind="stable")
        self._addresses, self._objects = samples["block"][order], samples["object"][order]

    def objects(self, addresses: Sequence[int]) -> Rows:
        """Return the row of the object that each block belongs to, -1 where none is known."""
        wanted = np.array(addresses, np.uint64)
        rows = np.full(len(wanted), -1, np.int64)
        if len(self._addresses):
            places = np.minimum(np.searchsorted(self._addresses, wanted), len(self._addresses) - 1)
            found = self._addresses[places] == wanted
            rows[found] = self._objects[places[found]]
        return rows

    def are_objects(self, addresses: Sequence[int], rows: Rows) -> Rows:
        """Return which blocks begin with the object itself; others are what one has beside its head."""
        beyond = self._columns.address[np.maximum(rows, 0)].astype(np.int64) - np.array(addresses, np.int64)
        own: Rows = (rows >= 0) & (beyond >= 0) & (beyond < _HEAD_MAX)
        return own

    def types(self, rows: Rows) -> list[str]:
        """Return the name in full of each object's type."""
        names, types = self._index.type_names, self._columns.shapes["type"]
        return [names[types[self._columns.shape[row]]] for row in rows.tolist()]

    def holders(self, rows: Rows, limit: int = 5) -> list[Holder]:
        """Return the ways in which objects are held, what holds most first; as `Snapshot.why`."""
        return self._holders.why(np.unique(rows).astype(np.uint32), limit)
