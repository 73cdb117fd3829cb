"""Who holds an object that should be dead, but for the variables of the test that asks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from outlive.capture import snapshot
from outlive.model.printable import printable
from outlive.report import this_process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.model.heap import Holder

_PYTEST = ("_pytest.", "pluggy.", "pytest_asyncio.", "anyio.", "asyncio.")
_WAYS_MAX = 32
_SHOWN = 5
_RUNNING = ("frame", "coroutine", "generator", "async generator")
_DIRECT = 3  # frame, variable, object
_ARGUMENTS, _ARGUMENT = "stack of pytest_pyfunc_call()", 3  # what calls the test, name, object


def holders(obj: object) -> str:
    """Return who holds `obj`, in words, but for variables of the running test; "" if nobody does.

    Raises:
        OutliveError: there is no room for a snapshot of the heap.

    """
    own = tuple(f"{what} {name}() at " for name in _running() for what in _RUNNING)
    found = this_process.why(snapshot.take_into_memory(), f"{id(obj):#x}", _WAYS_MAX)
    others = [holder for holder in found if not _is_own(holder, own)]
    if not others:
        return ""
    lines = [f"ALIVE   {printable(type(obj).__qualname__)} should be dead, and is held:"]
    lines += [f"  held    {printable(holder.text)}" for holder in others[:_SHOWN]]
    if more := len(others) - _SHOWN:
        lines += [f"          and in {more} more ways"] if more > 0 else []
    return "\n".join(lines)


def _running() -> Iterator[str]:
    """Give the names of the functions that run, from here to where pytest called the test."""
    frame = sys._getframe(1)  # noqa: SLF001 - its public twin, inspect.currentframe(), is the same
    while frame is not None and not frame.f_globals.get("__name__", "").startswith(_PYTEST):
        yield frame.f_code.co_qualname
        frame = frame.f_back  # type: ignore[assignment] # the last one has none


def _is_own(holder: Holder, own: tuple[str, ...]) -> bool:
    """Return whether it is a variable of a running function that refers to the object itself."""
    path = holder.path
    if path[0].startswith(_ARGUMENTS) and len(path) == _ARGUMENT:  # a fixture of the test is the object
        return True
    return len(path) >= _DIRECT and path[-_DIRECT].startswith(own) and path[-2].startswith("local ")
