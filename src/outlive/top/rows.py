"""The table's rows: what can be chosen of them, in which order they stand, what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from outlive.model.place import short_path
from outlive.report.stack_text import NO_PYTHON, named, outwards, place

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from outlive.model.estimate import Estimate
    from outlive.model.recording import Stack
    from outlive.recording.totals import Grouping

Sorting = Literal["in use", "growth", "blocks", "age"]

GROUPS: tuple[Grouping, ...] = ("line", "function", "file", "stack")
SORTS: tuple[Sorting, ...] = ("in use", "growth", "blocks", "age")

_CALLERS_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Choice:
    """What the table shows. `filter` is text that a frame of each stack must contain, in any case."""

    group: Grouping = "line"
    sort: Sorting = "in use"
    filter: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: stacks with the same `key`.

    `growth` is None without a mark and where nothing changed since; `age` is how many seconds its bytes have
    lived on average, None if none is left.
    """

    key: Hashable
    name: str
    in_use: Estimate
    growth: Estimate | None
    blocks: float
    age: float | None
    stacks: tuple[tuple[Stack, float], ...]  # with their bytes, heaviest first; what is gone has none


ORDERS: dict[Sorting, Callable[[Row], tuple[float, float]]] = {
    "in use": lambda row: (row.in_use.estimate, row.blocks),
    "growth": lambda row: (row.growth.estimate if row.growth else 0.0, row.in_use.estimate),
    "blocks": lambda row: (row.blocks, row.in_use.estimate),
    "age": lambda row: (row.age or 0.0, row.in_use.estimate),
}


def is_wanted(stack: Stack, choice: Choice) -> bool:
    """Return whether the stack passes the filter; callers count: what is made on their behalf is found."""
    wanted = choice.filter.casefold()
    return not wanted or any(
        wanted in f"{frame.file}:{frame.line} {frame.function}".casefold() for frame in stack.frames
    )


def name_of(stack: Stack, group: Grouping) -> str:
    """Return what a row of such stacks is called."""
    first, *callers = outwards(stack)
    if not first.file:
        return first.function or NO_PYTHON.function
    if group == "file":
        return short_path(first.file)
    if group == "function":
        return f"{short_path(first.file)} {first.function}"
    if group == "line":
        return named(first)
    return " ← ".join([named(first), *filter(None, map(place, callers[:_CALLERS_SHOWN]))])


def fitted(name: str, room: int) -> str:
    """Return a row's name in so many characters: outer folders go first, they say least."""
    path, space, rest = name.partition(" ")
    folders = path.split("/")
    while len(name) > room and len(folders) > 1:
        del folders[0]
        name = "/".join(["…", *folders]) + space + rest
    return name if len(name) <= room else name[: max(0, room - 1)] + "…"
