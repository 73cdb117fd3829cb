"""What the heap of this very process tells: each call takes a snapshot into memory, and reads that."""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from dataclasses import astuple
from typing import TYPE_CHECKING

from outlive.capture import snapshot, watching
from outlive.errors import UsageError
from outlive.heap import find, picture
from outlive.heap.growth import changes
from outlive.heap.holders import Holders
from outlive.model.heap import Change, Holder, Overdue, Total
from outlive.report.heap_holders import overdue_text
from outlive.report.heap_results import Results
from outlive.report.heap_snapshot import PrintedSnapshot
from outlive.report.heap_table import growth_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outlive.heap.census import By

_WAYS_MAX = 10

# The census of the last growth(), as JSON in a file in memory: as objects it would show in the next one.
_mark: int | None = None


def census(handle: int, limit: int | None, by: By) -> list[Total]:
    """See `outlive.census`; `handle` is of a snapshot in memory, which is closed."""
    return _opened(handle).census(by, limit)


def growth(limit: int | None) -> list[Change]:
    """See `outlive.growth`."""
    global _mark  # noqa: PLW0603 - one mark a process
    now = _taken().census()
    if _mark is None:
        _mark = os.memfd_create("outlive-mark")
        _set(_mark, now)
        return Results([], lambda _shown: "The mark is set: call outlive.growth() again, later.")
    before = [Total(*row) for row in json.loads(os.pread(_mark, os.fstat(_mark).st_size, 0))]
    _set(_mark, now)
    return Results(changes([before, now], limit), lambda shown: growth_table(shown, None))


def _set(mark: int, totals: Iterable[Total]) -> None:
    content = json.dumps([astuple(total) for total in totals]).encode()
    os.ftruncate(mark, 0)
    os.pwrite(mark, content, 0)


def why(handle: int, what: object, limit: int) -> list[Holder]:
    """See `outlive.why`; `handle` is of a snapshot in memory, which is closed."""
    is_name = type(what) is str  # never isinstance, which may run code of the object's
    return _opened(handle).why(what if is_name else f"{id(what):#x}", limit)


def backrefs(what: object, filename: str | os.PathLike[str], max_depth: int) -> None:
    """See `outlive.backrefs`."""
    taken = _taken()
    if type(what) is str:
        taken.backrefs(what, filename, max_depth)
        return
    # As in `why`: no isinstance.
    objs: Iterable[object] = what if type(what) in (list, tuple) else [what]  # type: ignore[assignment]
    rows = find.at_addresses(taken.index, [id(obj) for obj in objs])
    if not len(rows):
        raise UsageError("there is nothing to draw", "no object was given that is in a snapshot")
    picture.backrefs(Holders(taken.columns, taken.index), rows, filename, max_depth)


def overdue(seconds: float) -> list[Overdue]:
    """See `outlive.overdue`."""
    before = time.monotonic() - seconds
    if not watching.alive(before):
        return Results([], overdue_text)
    taken = _taken()
    # Looked up after the snapshot: a reference taken before it would be one of their holders.
    by_type: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for address, name, since in watching.alive(before):
        by_type[name].append((address, since))
    now = time.monotonic()
    found = [
        Overdue(
            type=name,
            count=len(watched),
            seconds=now - min(since for _, since in watched),
            holders=tuple(_holders(taken, [address for address, _ in watched])),
        )
        for name, watched in by_type.items()
    ]
    found.sort(key=lambda each: -each.count)
    return Results(found, overdue_text)


def _holders(taken: PrintedSnapshot, addresses: Iterable[int]) -> list[Holder]:
    rows = find.at_addresses(taken.index, addresses)
    return Holders(taken.columns, taken.index).why(rows, _WAYS_MAX)


def _taken() -> PrintedSnapshot:
    """Take a snapshot of this process; all that reads it is imported by now, and in it."""
    return _opened(snapshot.take_into_memory())


def _opened(handle: int) -> PrintedSnapshot:
    try:
        return PrintedSnapshot(handle)
    finally:
        os.close(handle)
