"""One way from a root to an object: which objects it passes, where it begins, and how it is said."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from outlive.heap import cycles
from outlive.heap.elision import collapse, elided, gap, signature
from outlive.heap.labels import Labels
from outlive.heap.nouns import SUSPENDABLE, Word, word
from outlive.heap.ways import Modules, Ways, path_edges
from outlive.heap.words import Words, join
from outlive.model.heap import Root
from outlive.model.heap_layout import NONE, Category, RootKind
from outlive.model.printable import printable_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from outlive.heap.columns import Columns
    from outlive.heap.filters import Filter
    from outlive.heap.index import Index

GARBAGE = "garbage"
_DEEP = 96  # objects on a way, from which on it is not said object by object
_INNER = (Category.DICT, Category.CELL, Category.TUPLE, Category.TRACEBACK)
# Whose bookkeeping leads to every task.
_LOOPS = ("asyncio", "selectors", "threading", "_thread", "concurrent", "uvloop", "anyio", "trio", "weakref")


@dataclass(frozen=True)
class Route:
    """A way in words. `length`: how many objects it passes."""

    root: Root
    words: tuple[Word, ...]
    length: int
    signature: tuple[str, ...] = field(compare=False)

    @property
    def path(self) -> tuple[str, ...]:
        """The words' texts."""
        return tuple(one.text for one in self.words)

    @property
    def text(self) -> str:
        """The whole as people read it."""
        return join(self.path)


class Routes:
    """Finds and says ways in a snapshot."""

    def __init__(self, columns: Columns, index: Index) -> None:
        self.columns, self.index = columns, index
        self._ways: dict[tuple[Filter, ...], Ways] = {}

    @cached_property
    def labels(self) -> Labels:
        """Names of objects and references."""
        return Labels(self.columns)

    @cached_property
    def modules(self) -> Modules:
        """What sys.modules has."""
        return Modules(self.columns)

    @cached_property
    def words(self) -> Words:
        """Says objects and references."""
        return Words(self.labels, self.modules.dicts)

    def ways(self, filters: Sequence[Filter]) -> Ways:
        """Return the tree of ways around these filters, kept for the next time."""
        key = tuple(filters)
        if key not in self._ways:
            self._ways[key] = Ways(self.columns, self.index, self.modules, key)
        return self._ways[key]

    # -- from objects to words

    def best(self, ways: Ways, thing: int, below: Sequence[int] = ()) -> Route:
        """Return the best way to an object, and on to those `below` it."""
        up = ways.climb(thing, len(self.columns))
        if ways.parent[up[-1]] == NONE:
            return self._garbage(ways, [*up[::-1], *below])
        return self.along(ways, [*up[::-1], *below])

    def along(self, ways: Ways, objects: list[int], *, tasks: bool = True) -> Route:
        """Return a way that passes these objects, the first a root.

        `tasks`: it begins at the task that runs what comes after, if there is one: that lives by itself.
        """
        start, root, first = self._start(objects, tasks=tasks)
        objects = objects[start:]
        said = self._said(ways, objects, first)
        return Route(root, tuple(said), len(objects), (root.kind, *signature(said)))

    def _said(self, ways: Ways, objects: list[int], first: Word | None) -> list[Word]:
        if len(objects) <= _DEEP:
            return collapse(self.words.say(objects, self.edges(ways, objects), first))
        path = np.array(objects, np.uint32)
        edges = path_edges(self.columns, path, ways.edges)
        inner = np.isin(np.arange(256), _INNER)
        out = gap(self.columns, path, edges, inner)
        head = self.words.say(objects[: out.start + 1], edges[: out.start].tolist(), first, whole=False)
        tail = self.words.say(objects[out.stop :], edges[out.stop :].tolist())
        if out.repeats:
            stop = out.start + out.period
            within = edges[out.start : stop].tolist()
            period = self.words.say(objects[out.start : stop + 1], within, whole=False)
            between = elided(out.repeats, period)
        else:
            between = word(f"… {out.stop - out.start:,} more …", alike="…")
        return [*collapse(head), between, *collapse(tail)]

    def before_task(self, ways: Ways, objects: list[int]) -> Route | None:
        """Return the way that passes these objects from the module on that holds the task, if one does."""
        if not any(map(self._runs, objects, objects[1:])):
            return None
        route = self.along(ways, objects, tasks=False)
        told = route.root.kind == "module" and route.root.name.partition(".")[0] not in _LOOPS
        return route if told else None

    def edges(self, ways: Ways, objects: Sequence[int]) -> list[int]:
        """Return the references between objects, each to the next: the best one where there are several."""
        return [self._edge(ways, *pair) for pair in pairwise(objects)]

    def _edge(self, ways: Ways, holder: int, held: int) -> int:
        if ways.parent[held] == holder and (edge := ways.edge(held)) >= 0:
            return edge
        found = list(self.labels.edges_between(holder, held))
        return min(found, key=ways.is_filtered)

    # -- where it begins

    def _start(self, objects: list[int], *, tasks: bool) -> tuple[int, Root, Word | None]:
        """Return at which of the objects a way begins, its root, and what is said of that."""
        names = self.modules.names
        categories = self._categories(objects)
        if tasks:
            for at in np.flatnonzero(categories[:-1] == Category.TASK)[::-1].tolist():
                if self._runs(objects[at], objects[at + 1]):
                    noun = self.words.nouns.noun(objects[at])
                    return at, Root("task", self.labels.text(objects[at]) or "?"), noun
        for at in np.flatnonzero(categories == Category.MODULE)[::-1].tolist():
            if objects[at] in names:
                module = self.words.nouns.noun(objects[at])
                return at, Root("module", module.text.removeprefix("module ")), module
        return 0, *self._root(objects[0])

    def _categories(self, objects: list[int]) -> NDArray[np.uint8]:
        return self.columns.shape_category[self.columns.shape[np.array(objects, np.int64)]]

    def _runs(self, task: int, held: int) -> bool:
        """Whether `task` is a task, and `held` what it runs or the context it runs in."""
        return self.labels.category(task) == Category.TASK and (
            self.labels.category(held) in SUSPENDABLE or self.labels.category(held) == Category.CONTEXT
        )

    @cached_property
    def _named_roots(self) -> dict[int, tuple[RootKind, str]]:
        rows = self.columns.roots
        found = dict[int, tuple[RootKind, str]]()
        for row in np.sort(rows, order="kind"):
            name = self.columns.text(row["name"])
            found.setdefault(int(row["object"]), (RootKind(int(row["kind"])), name))
        return found

    def _root(self, thing: int) -> tuple[Root, Word | None]:
        kind, name = self._named_roots.get(thing, (None, ""))
        noun = self.words.nouns.noun(thing)
        if kind == RootKind.THREAD:
            return Root("thread", noun.text.removeprefix("thread ")), noun
        if kind == RootKind.INTERPRETER:
            return Root("interpreter", name), word(f"interpreter {name}")
        if kind == RootKind.STATIC:
            return Root("static type", self.labels.class_name(thing)), None
        if kind == RootKind.STACK:
            function = printable_name(name)
            return Root("thread", f"{function}()"), word(f"stack of {function}()")
        if self.labels.category(thing) == Category.TASK:
            return Root("task", self.labels.text(thing) or "?"), noun
        return self._from_outside(thing)

    def _from_outside(self, thing: int) -> tuple[Root, Word]:
        short = self.labels.type_word(thing)
        count, known = int(self.columns.refcount[thing]), int(self.index.in_degree[thing])
        if count == NONE:
            return Root("immortal", short), word("immortal")
        said = f"native reference (refcount {count:,}, {known:,} known)"
        return Root("native reference", short), word(said, "native reference", "native reference")

    # -- garbage

    def _garbage(self, ways: Ways, below: list[int]) -> Route:
        """Return the cycle that alone holds an object, and the way from there."""
        found = cycles.cycle(self.index, ways, below[0])
        root = Root(GARBAGE, self.labels.type_word(found[0]))
        objects = [*found, *below[1:]]
        first = word("nothing but a cycle:" if len(found) > 1 else "nothing")
        edges = self.edges(ways, objects)
        said = collapse([first, *self.words.say(objects, edges)])
        return Route(root, tuple(said), len(objects), (GARBAGE, *signature(said)))


def merged(routes: Iterable[Route]) -> tuple[str, ...]:
    """Return the words of ways of one signature; where they differ, words for several."""
    first, *others = sorted(routes, key=lambda route: -route.length)
    paths = [other.words for other in others if len(other.words) == len(first.words)]
    if len(paths) < len(others):
        return tuple(
            one.text.replace("… ", "… up to ", 1) if "×" in one.text else one.text for one in first.words
        )
    return tuple(_several([first.words[at], *(path[at] for path in paths)]) for at in range(len(first.words)))


def _several(words: Sequence[Word]) -> str:
    first = words[0]
    if len({one.text for one in words}) == 1:
        return first.text
    if first.many:
        return first.many if len({one.many for one in words}) == 1 else f"{first.alike}[…]"
    if first.text.startswith("… "):
        return first.text.replace("… ", "… up to ", 1)
    if first.text.endswith("]"):
        return f"{first.text[:-1]}, …]"
    return f"{first.text}, …"
