"""Objects by what people call them: a type's name, an address, a number, or the object itself."""

from __future__ import annotations

import difflib
import os
from collections import defaultdict
from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from outlive.errors import OutliveError, UsageError
from outlive.model.printable import printable_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from outlive.heap.index import Index

    U4 = NDArray[np.uint32]

_NAMED_MAX = 5


def objects(index: Index, what: object) -> U4:
    """Return the rows of the objects meant, ascending; at least one.

    `what`: the name of a type, in full or its last parts; an address, "0x7f…"; an object's number; or any
    other value: that object itself, if the snapshot is of this process.

    Raises:
        UsageError: no such type (with those that look like it), more than one, or no such number.
        OutliveError: no object is there; it is dead, or newer than the snapshot.

    """
    # By type alone: isinstance() would ask the object itself for its __class__.
    if type(what) is str:
        text = what.strip()
        if text[:2].lower() == "0x":
            return _at(index, _number(text, 16), text)
        if text.isdecimal():
            return _numbered(index, _number(text, 10))
        return _of_type(index, text)
    if type(what) is int:
        return _numbered(index, what)
    if index.columns.info.pid != os.getpid():
        raise UsageError(
            "an object of this process is in none of another's snapshots",
            f"that one is of process {index.columns.info.pid}",
            "name a type, an address or an object's number",
        )
    return _at(index, id(what), "the object")


def at_addresses(index: Index, addresses: Iterable[int]) -> U4:
    """Return the rows of the objects at these addresses, as far as there are any."""
    wanted = np.fromiter(addresses, np.uint64)
    return np.flatnonzero(np.isin(index.columns.address, wanted[wanted != 0])).astype(np.uint32)


def type_rows(index: Index, name: str) -> set[int]:
    """Return the rows of `types` with this name, in full or its last parts.

    Raises:
        UsageError: there is none, or there are several names that end so.

    """
    known = set(index.type_names)
    full = {name} if name in known else {each for each in known if each.endswith(f".{name}")}
    if not full or not name:
        close = " or ".join(map(printable_name, _close(name, known)))
        hint = f"did you mean {close}?" if close else "outlive census lists them"
        raise UsageError(f"no object of a type {printable_name(name)} is in the snapshot", hint=hint)
    if len(full) > 1:
        some = sorted(full)[:_NAMED_MAX]
        more = f" and {len(full) - len(some)} more" if len(full) > len(some) else ""
        raise UsageError(
            f"{printable_name(name)} is the name of several types",
            f"{', '.join(map(printable_name, some))}{more}",
            "give the name in full",
        )
    return {row for row, each in enumerate(index.type_names) if each in full}


def _of_type(index: Index, name: str) -> U4:
    wanted = np.zeros(len(index.type_names), bool)
    wanted[sorted(type_rows(index, name))] = True
    of_shape = wanted[index.columns.shapes["type"]]
    rows = np.flatnonzero(of_shape[index.columns.shape]).astype(np.uint32)
    if not len(rows):
        raise UsageError(f"no object of a type {printable_name(name)} is in the snapshot")
    return rows


def _number(text: str, base: int) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise UsageError(f"{printable_name(text)} is no address", hint="write it as 0x7f0123456780") from None


def _numbered(index: Index, number: int) -> U4:
    if not 0 <= number < len(index):
        raise UsageError(f"there is no object {number}", f"the snapshot has {len(index)}")
    return np.array([number], np.uint32)


def _at(index: Index, address: int, name: str) -> U4:
    rows: U4 = np.empty(0, np.uint32)
    if 0 < address < 1 << 64:
        rows = np.flatnonzero(index.columns.address == np.uint64(address)).astype(np.uint32)[:1]
    if not len(rows):
        why = "it was not alive when that was taken"
        raise OutliveError(f"{printable_name(name)} is not in the snapshot", why)
    return rows


def _close(name: str, known: Iterable[str]) -> list[str]:
    """Return full names that end as `name` does, most alike first; else those that end in what looks so."""
    given = name.lower().split(".")[::-1]
    by_end = defaultdict[str, list[str]](list)
    for each in sorted(known):
        by_end[each.rpartition(".")[2].lower()].append(each)

    def alike(each: str) -> int:
        parts = zip(given, each.lower().split(".")[::-1], strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], parts))

    if given[0] in by_end:
        return sorted(by_end[given[0]], key=alike, reverse=True)[:_NAMED_MAX]
    close = difflib.get_close_matches(given[0], by_end, _NAMED_MAX)
    return [by_end[end][-1] for end in close]
