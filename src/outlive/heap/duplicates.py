"""Equal values kept more than once, by the hashes that a snapshot has of them if asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outlive.errors import OutliveError
from outlive.model.heap import Duplicate

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from outlive.heap.index import Index

    U4 = NDArray[np.uint32]

_HOLDERS_MAX = 3
_ASKED_MAX = 20
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


def duplicates(index: Index, held: Callable[[int], str], limit: int = 10) -> list[Duplicate]:
    """Return the values of which copies waste most; the value itself is in no snapshot.

    `held` says how an object is reached; some of the copies' holders are given.

    Raises:
        OutliveError: the snapshot was taken without hashes of contents.

    """
    contents = index.columns.contents
    if not len(contents):
        raise OutliveError(
            "the snapshot says nothing of contents",
            "it was taken without them",
            "take one with them: outlive snapshot PID --contents -o FILE",
        )
    rows, hashes = contents["object"], contents["hash"]
    types, sizes = index.type[rows], index.sizes[rows]
    # One key is sorted in a fraction of the time that two take; should two values have the same, their runs
    # fall apart, and are not taken for one.
    by_value = np.argsort(hashes + types * _SPREAD, kind="stable")
    rows, hashes, types, sizes = rows[by_value], hashes[by_value], types[by_value], sizes[by_value]
    begins = np.flatnonzero(np.r_[True, (hashes[1:] != hashes[:-1]) | (types[1:] != types[:-1])])
    counts = np.diff(np.r_[begins, len(rows)])
    # The largest is the one to keep: a str may have its UTF-8 with it.
    wasted = np.add.reduceat(sizes, begins) - np.maximum.reduceat(sizes, begins)
    least = np.minimum.reduceat(sizes, begins)
    most = np.argsort(-wasted.astype(np.int64), kind="stable")[:limit]
    return [
        Duplicate(
            type=index.type_names[types[begins[value]]],
            count=int(counts[value]),
            bytes_each=int(least[value]),
            wasted_bytes=int(wasted[value]),
            holders=_holders(held, rows[begins[value] : begins[value] + counts[value]]),
        )
        for value in most[counts[most] > 1].tolist()
    ]


def _holders(held: Callable[[int], str], rows: U4) -> tuple[str, ...]:
    """Return how copies are held, the most frequent first, as far as a sample of them tells."""
    step = max(1, len(rows) // _ASKED_MAX)
    said = [held(row) for row in rows[::step][:_ASKED_MAX].tolist()]
    return tuple(sorted(set(said), key=lambda text: (-said.count(text), text))[:_HOLDERS_MAX])
