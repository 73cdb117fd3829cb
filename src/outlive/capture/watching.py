"""Objects that should be dead soon: weak references to them, and since when."""

from __future__ import annotations

from _weakref import ref
from time import monotonic


class _Watched(ref):  # type: ignore[type-arg] # light: no typing at run time
    """A weak reference that knows where it is kept, after its object's death too."""

    __slots__ = ("address", "since")
    address: int
    since: float


_watched: dict[int, _Watched] = {}


def watch(obj: object) -> None:
    """See `outlive.watch`."""
    address = id(obj)
    if address in _watched:
        return
    try:
        watched = _Watched(obj, _forget)
    except TypeError:
        name = type(obj).__qualname__
        raise TypeError(f"can't watch a {name}: it takes no weak reference; watch what holds it") from None
    watched.address, watched.since = address, monotonic()
    _watched[address] = watched


def alive(before: float) -> list[tuple[int, str, float]]:
    """Return (address, type's full name, time it was watched) of those watched at `before` that live now.

    Times are of time.monotonic(). What is returned lived all the time in between, at that address.
    """
    found = []
    for watched in list(_watched.values()):  # others may watch meanwhile
        obj = watched()
        if obj is not None and watched.since <= before:
            found.append((watched.address, full_name(type(obj)), watched.since))
        del obj
    return found


# The interpreter may have cleared this module when the last objects die.
def _forget(watched: _Watched, _watched: dict[int, _Watched] = _watched) -> None:
    if _watched.get(watched.address) is watched:
        del _watched[watched.address]


_MODULE, _QUALNAME = type.__dict__["__module__"], type.__dict__["__qualname__"]


def full_name(cls: type) -> str:
    """Return "module.Qualified.name", builtins without a module; runs no code of the class's."""
    module, name = _MODULE.__get__(cls), _QUALNAME.__get__(cls)
    return name if type(module) is not str or module == "builtins" else f"{module}.{name}"
