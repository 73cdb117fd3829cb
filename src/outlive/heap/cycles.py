"""Cycles of garbage: what holds an object that no root leads to."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.heap.columns import Columns
    from outlive.heap.index import Index
    from outlive.heap.ways import Ways

_LOOKED_AT_MAX = 20_000
_HOLDERS_MAX = 64
_TRIED_MAX = 64


def cycle(index: Index, ways: Ways, thing: int) -> list[int]:
    """Return a way to `thing` that begins with a cycle: the first object comes again.

    The nearest cycle, and of those the shortest one; around noise if possible. `[thing]` if nothing refers
    to it at all, and where none is found soon.
    """
    for around_noise in (True, False):
        held: dict[int, int] = {thing: thing}  # by holder, what it was found by
        queue = deque([thing])
        while queue and len(held) < _LOOKED_AT_MAX:
            one = queue.popleft()
            for holder in holders(index, ways, one, around_noise=around_noise):
                if holder == thing:
                    return [thing, *_down(held, one)]
                if holder not in held:
                    held[holder] = one
                    queue.append(holder)
        # It is in none itself. Its holders are, or theirs.
        for one in list(held)[1:_TRIED_MAX]:
            if found := _through(index, ways, one, set(held), around_noise=around_noise):
                return [*found, *_down(held, one)[1:]]
    return [thing]


def _through(index: Index, ways: Ways, thing: int, among: set[int], *, around_noise: bool) -> list[int]:
    """Return the shortest cycle that `thing` is in, among some objects; its first comes again."""
    held = {thing: thing}
    queue = deque([thing])
    while queue:
        one = queue.popleft()
        for holder in holders(index, ways, one, around_noise=around_noise):
            if holder == thing:
                return [thing, *_down(held, one)]
            if holder in among and holder not in held:
                held[holder] = one
                queue.append(holder)
    return []


def _down(held: dict[int, int], holder: int) -> list[int]:
    """Return the objects from a holder down to where the search began."""
    found = [holder]
    while held[found[-1]] != found[-1]:
        found.append(held[found[-1]])
    return found


def holders(index: Index, ways: Ways, thing: int, *, around_noise: bool = True) -> Iterator[int]:
    """Yield who refers to an object, each once, as far as those are not too many."""
    first, end = index.into_first[thing : thing + 2].astype(np.int64)
    seen = set[int]()
    for holder in index.into[first : min(end, first + _HOLDERS_MAX)].tolist():
        if holder in seen:
            continue
        seen.add(holder)
        if around_noise:
            if not ways.refers(holder, thing):
                continue
            if holder == thing and not _refers_to_itself(index.columns, thing):
                continue
        yield holder


def _refers_to_itself(columns: Columns, thing: int) -> bool:
    """Whether it does so in truth: what is filtered was turned back too."""
    start, stop = columns.first[thing : thing + 2].astype(np.int64)
    return bool((columns.edges[start:stop] == thing).any())
