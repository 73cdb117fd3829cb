"""What the heap's analysis must come to, in plain Python by the definitions; random heaps to compare on."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outlive.model.heap_layout import RootKind
from tests.heap.synthetic import IMMORTAL, Heap

if TYPE_CHECKING:
    from collections.abc import Iterable

TYPES = ("app.Order", "app.Line", "shop.models.Customer", "dict", "str")


def random_heap(seed: int, objects: int = 40) -> Heap:
    """Make a heap with a root or a few, objects that native code holds, immortals, cycles and garbage."""
    chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
    heap = Heap()
    for _ in range(objects):
        heap.add(
            chance.choice(TYPES),
            size=chance.randrange(16, 500),
            native=chance.random() < 0.05,
            refcount=IMMORTAL if chance.random() < 0.05 else None,
        )
    for row in range(objects):
        heap.append(row, *(chance.randrange(objects) for _ in range(chance.choice((0, 0, 1, 1, 2, 5)))))
    kinds = (RootKind.INTERPRETER, RootKind.THREAD, RootKind.STATIC)
    heap.roots += [
        (row, chance.choice(kinds), f"root {row}")
        for row in chance.sample(range(objects), chance.randrange(4))
    ]
    return heap


@dataclass(frozen=True)
class Slow:
    """The oracle: every question is answered by walking the heap without what it is about."""

    heap: Heap

    def held(self, row: int) -> list[int]:
        """Return what an object refers to."""
        thing = self.heap.things[row]
        return [*(to for _, to in thing.named), *thing.rest]

    def starts(self) -> set[int]:
        """Return what is held from outside the heap."""
        known = dict.fromkeys(range(len(self.heap.things)), 0)
        for row in known:
            for to in self.held(row):
                known[to] += 1
        counts = self.heap.refcounts()
        native = {row for row, count in known.items() if counts[row] > count}
        return native | {row for row, _, _ in self.heap.roots}

    def reach(self, starts: Iterable[int], without: Iterable[int] = ()) -> set[int]:
        """Return what starts lead to, not by way of some objects."""
        seen = set(starts) - set(without)
        left = list(seen)
        while left:
            found = set(self.held(left.pop())) - seen - set(without)
            seen |= found
            left += found
        return seen

    def size(self, rows: Iterable[int]) -> int:
        """Return the shallow bytes of objects."""
        return sum(self.heap.things[row].size for row in rows)

    def retained(self, *rows: int) -> int:
        """Return what goes if reachable objects go: with them, what is not reached any more."""
        starts = self.starts()
        alive = self.reach(starts)
        return self.size(alive - self.reach(starts, rows))

    def dominators(self, row: int) -> set[int]:
        """Return the other objects without which a reachable one is not reached."""
        starts = self.starts()
        return {other for other in self.reach(starts) - {row} if row not in self.reach(starts, [other])}

    def distance(self) -> dict[int, int]:
        """Return how many references each object is from the nearest root that the file names."""
        level = {row for row, _, _ in self.heap.roots}
        found = dict.fromkeys(level, 0)
        steps = 0
        while level:
            steps += 1
            level = {to for row in level for to in self.held(row)} - found.keys()
            found |= dict.fromkeys(level, steps)
        return found
