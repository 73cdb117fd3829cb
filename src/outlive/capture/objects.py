"""Living objects of this process, found by their type's name."""

from __future__ import annotations

import gc

from outlive.capture.watching import full_name

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Iterator

_HAS_REFERENCES = 1 << 14  # Py_TPFLAGS_HAVE_GC
_MODULE = type(gc)
_FLAGS = type.__dict__["__flags__"]


def by_type(name: str) -> list[object]:
    """See `outlive.by_type`."""
    tracked = gc.get_objects()
    matches = _Matches(name)
    found = [obj for obj in tracked if matches.has(obj)]
    # By address, for they come as often as they are referred to; none but the dict is their holder here.
    further = {id(obj): obj for obj in _untracked(tracked) if matches.has(obj)}
    return [*found, *further.values()]


def _untracked(tracked: list[object]) -> Iterator[object]:
    """Yield each object that the collector does not know, as found from those that it does.

    Those that refer to nothing may come several times. Modules are not asked: their dicts are among those
    that are, and what 3.12's asyncio keeps in C for its next futures is dead. Who refers to it frees it once
    more, and from then on it is a ring.
    """
    seen: set[int] = set()
    left = [obj for obj in tracked if type(obj) is not _MODULE]
    while left:
        for obj in gc.get_referents(left.pop()):
            if gc.is_tracked(obj):
                continue
            if _FLAGS.__get__(type(obj)) & _HAS_REFERENCES:  # a tuple or dict of atoms
                if id(obj) in seen:
                    continue
                seen.add(id(obj))
                left.append(obj)
            yield obj


class _Matches:
    """Tells whether objects are of the type with a name, whole or without what leads to it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._ending = f".{name}"
        self._known: dict[int, bool] = {}
        self._types: list[type] = []  # kept, so that their ids stay theirs

    def has(self, obj: object) -> bool:
        cls = type(obj)  # never __class__, which may be anything
        known = self._known.get(id(cls))
        if known is None:
            full = full_name(cls)
            known = self._known[id(cls)] = full == self._name or full.endswith(self._ending)
            self._types.append(cls)
        return known
