"""The best way to each object: short, and around what the filters call noise, where there is one.

A tree found breadth first from the modules and threads, over all references but those filtered; then from
other roots; what is left is reached over filtered ones. Garbage stays outside.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from outlive.heap.core import native
from outlive.heap.nouns import LRU_CACHE, SUSPENDABLE
from outlive.model.heap_layout import NONE, Category, FrameState, RootKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from outlive.heap.columns import Columns
    from outlive.heap.filters import Filter
    from outlive.heap.index import Index

    Array = NDArray[Any]

_ROUNDS_MAX = 16
# Thread-locals are found by the objects that they belong to, event loops by the frames that run them.
_OF_THREADS = {"dict", "firstiter", "finalizer"}


class Modules:
    """The modules that sys.modules has."""

    def __init__(self, columns: Columns) -> None:
        is_module = columns.shape_category == Category.MODULE
        modules = np.flatnonzero(is_module[columns.shape])
        names = {int(row): columns.text(text) for row, text in _texts_of(columns, modules)}
        if len(held := self._in_sys_modules(columns)):
            modules = modules[np.isin(modules, held)]
        self.names = {int(row): names.get(int(row), "?") for row in modules}
        self.objects = modules.astype(np.uint32)
        self.dicts = dict[int, str]()
        is_dict = columns.shape_category == Category.DICT
        for row, name in self.names.items():
            for held_by in columns.edges[columns.first[row] : columns.first[row + 1]]:
                if is_dict[columns.shape[held_by]]:
                    self.dicts.setdefault(int(held_by), name)
                    break

    @staticmethod
    def _in_sys_modules(columns: Columns) -> Array:
        roots = columns.roots
        for root in roots[roots["kind"] == RootKind.INTERPRETER]:
            if columns.text(root["name"]) == "sys.modules":
                row = int(root["object"])
                return columns.edges[columns.first[row] : columns.first[row + 1]]
        return np.empty(0, np.uint32)


class Ways:
    """The tree of ways around `filters`. `edges`: references, those filtered turned back on their object."""

    def __init__(self, columns: Columns, index: Index, modules: Modules, filters: Sequence[Filter]) -> None:
        self.columns, self.index, self.modules = columns, index, modules
        self.filters = filters
        self.noisy_modules = {row for row, name in modules.names.items() if self._is_noisy(name)}
        self.edges = columns.edges.copy()
        for sources, edges in self._filtered():
            self.edges[edges] = sources
        self.parent = np.full(len(columns), NONE, np.uint32)
        self._hangs_by = dict[int, int]()
        self._reach()

    def _is_noisy(self, module: str) -> bool:
        return any(_matches(module, one.modules) for one in self.filters)

    def climb(self, thing: int, limit: int) -> list[int]:
        """Return the objects from `thing` up to its root, or to the `limit`-th."""
        parent, end = self.parent.data, NONE  # plain ints: a million links take a tenth of a second
        found = [thing]
        for _ in range(limit - 1):
            above = parent[thing]
            if above == thing or above == end:  # noqa: PLR1714, SIM109 - a quarter faster than `in`
                break
            found.append(above)
            thing = above
        return found

    def find_edges(self, things: list[int]) -> None:
        """Find by which references many objects hang in the tree, all at once, for `edge` to know."""
        some = np.unique(np.array(things, np.uint32))
        some = some[self.parent[some] != NONE]
        found = tree_edges(self.columns, self.parent, some, self.edges)
        self._hangs_by = dict(zip(some.tolist(), found.tolist(), strict=True))

    def edge(self, thing: int) -> int:
        """Return the reference by which an object hangs in the tree, -1 if that was not asked for at once."""
        return self._hangs_by.get(thing, -1)

    def is_filtered(self, edge: int) -> bool:
        """Whether a reference is noise."""
        return bool(self.edges[edge] != self.columns.edges[edge])

    def refers(self, holder: int, held: int) -> bool:
        """Whether an object refers to another one by more than noise."""
        start, stop = self.columns.first[holder : holder + 2].astype(np.int64)
        return bool((self.edges[start:stop] == held).any())

    # -- what is filtered

    def _filtered(self) -> Iterator[tuple[Array, Array]]:
        """Yield references that are noise, with the objects that have them."""
        yield from self._doubled()
        yield from self._by_name({name for one in self.filters for name in one.references})
        noisy = self._of_types([pattern for one in self.filters for pattern in one.types])
        noisy |= self._of_files([pattern for one in self.filters for pattern in one.files])
        noisy |= self.noisy_modules
        if noisy:
            yield self._references(np.array(sorted(noisy), np.int64))
        yield from self._variables([pattern for one in self.filters for pattern in one.variables])

    def _doubled(self) -> Iterator[tuple[Array, Array]]:
        """Yield references of CPython's own objects for which there is another that says more."""
        columns = self.columns
        category = columns.shape_category
        of_shape = np.isin(category, (Category.TASK, Category.FUTURE, Category.THREAD))
        caches = [row for row, name in enumerate(columns.types["name"]) if columns.text(name) == LRU_CACHE]
        of_shape |= np.isin(columns.shapes["type"], caches)
        things = np.flatnonzero(of_shape[columns.shape])
        if not len(things):
            return
        sources, edges = self._references(things)
        of_source = category[columns.shape[sources]]
        shapes = columns.shapes[columns.shape[sources]]
        place = edges - columns.first[sources]
        is_named = place < shapes["named"]
        held = category[columns.shape[columns.edges[edges]]]
        at = np.where(is_named, shapes["names"] + place, 0)
        hooks = [row for row in _distinct(columns.shape_names) if columns.text(row) in _OF_THREADS]
        of_thread = np.zeros(len(edges), bool)
        if len(columns.shape_names):
            of_thread = is_named & np.isin(columns.shape_names[at], hooks) & (of_source == Category.THREAD)
        loops = [row for row, name in enumerate(columns.types["name"]) if columns.text(name).endswith("Loop")]
        of_future = np.isin(columns.shapes["type"][columns.shape[columns.edges[edges]]], loops)
        of_future |= held == Category.TRACEBACK
        of_future &= np.isin(of_source, (Category.TASK, Category.FUTURE))
        # A cache's keys and values; those that its dict has.
        of_cache = np.isin(shapes["type"], caches) & ~is_named & (held != Category.DICT)
        chosen = of_thread | of_future | of_cache
        yield sources[chosen], edges[chosen]

    def _by_name(self, names: set[str]) -> Iterator[tuple[Array, Array]]:
        """Yield references by their own names: by place in each shape."""
        columns = self.columns
        strings = [row for row in _distinct(columns.shape_names) if columns.text(row) in names]
        meant = np.isin(columns.shape_names, strings)
        counts = np.cumsum(np.concatenate(([0], meant)))
        start = columns.shapes["names"].astype(np.int64)
        end = start + columns.shapes["named"]
        with_any = counts[end] > counts[start]
        things = np.flatnonzero(with_any[columns.shape])
        for place in range(int((end - start)[with_any].max(initial=0))):
            there = np.zeros(len(start), bool)
            inside = start + place < end
            there[inside] = meant[start[inside] + place]
            those = things[there[columns.shape[things]]]
            if len(those):
                yield those.astype(np.uint32), columns.first[those].astype(np.int64) + place

    def _of_types(self, patterns: list[str]) -> set[int]:
        columns = self.columns
        meant = np.array([_matches(columns.text(name), patterns) for name in columns.types["name"]], bool)
        if not meant.any():
            return set()
        return set(np.flatnonzero(meant[columns.shapes["type"]][columns.shape]).tolist())

    def _of_files(self, patterns: list[str]) -> set[int]:
        columns = self.columns
        files = [row for row in _distinct(columns.codes["file"]) if _matches(columns.text(row), patterns)]
        codes = columns.codes["object"][np.isin(columns.codes["file"], files)]
        return set(columns.frames["object"][np.isin(columns.frames["code"], codes)].tolist())

    def _references(self, things: Array) -> tuple[Array, Array]:
        """Return all references of some objects."""
        parts = [(things[part][of], places) for part, of, places in _references_of(self.columns, things)]
        sources, places = zip(*parts, strict=True)
        return np.concatenate(sources).astype(np.uint32), np.concatenate(places)

    def _variables(self, patterns: list[str]) -> Iterator[tuple[Array, Array]]:
        """Yield what modules' dicts have under the names meant."""
        columns = self.columns
        if not patterns or not self.modules.dicts:
            return
        sources, edges = self._references(np.array(sorted(self.modules.dicts), np.int64))
        odd = (edges - columns.first[sources]) % 2 == 1
        sources, edges = sources[odd], edges[odd]
        keys = columns.edges[edges - 1]
        meant = [
            int(row)
            for row, text in _texts_of(columns, np.unique(keys))
            if _matches(columns.text(text), patterns)
        ]
        chosen = np.isin(keys, meant)
        yield sources[chosen], edges[chosen]

    # -- the tree

    def _reach(self) -> None:
        columns, index = self.columns, self.index
        roots = columns.roots
        modules = [row for row in self.modules.names if row not in self.noisy_modules]
        threads = roots["object"][roots["kind"] == RootKind.THREAD]
        self._from(np.concatenate((np.array(modules, np.uint32), threads, self._tasks())))
        self._from(roots["object"][np.argsort(roots["kind"] == RootKind.STACK, kind="stable")])
        self._from(np.flatnonzero(index.natively_held & (self.parent == NONE)))
        self._over_filtered()
        self._from(np.flatnonzero(index.immortal & (self.parent == NONE)))
        self._over_filtered()

    def _tasks(self) -> Array:
        """Return the tasks that have something left to do and are alive: what they run hangs on them."""
        columns = self.columns
        category = columns.shape_category
        tasks: Array = np.flatnonzero((category == Category.TASK)[columns.shape])
        tasks = tasks[self.index.parent[tasks] != NONE]
        if not len(tasks):
            return tasks
        sources, edges = self._references(tasks)
        held = columns.edges[edges]
        finished = columns.frames["object"][columns.frames["state"] == FrameState.FINISHED]
        runs = np.isin(category[columns.shape[held]], list(SUSPENDABLE)) & ~np.isin(held, finished)
        found: Array = np.unique(sources[runs])
        return found

    def _from(self, starts: Array) -> None:
        starts = np.ascontiguousarray(starts, np.uint32)
        native.graph_reach(self.columns.first.data, self.edges.data, starts.data, self.parent.data)

    def _over_filtered(self) -> None:
        """Go on over references that are noise, to what nothing else leads to."""
        columns = self.columns
        noise = np.flatnonzero(self.edges != columns.edges)
        if not len(noise):
            return
        sources, targets = self.edges[noise], columns.edges[noise]
        for _ in range(_ROUNDS_MAX):
            new = (self.parent[targets] == NONE) & (self.parent[sources] != NONE)
            if not new.any():
                return
            starts, where = np.unique(targets[new], return_index=True)
            holders = sources[new][where]
            self._from(starts)
            self.parent[starts] = holders
            left = self.parent[targets] == NONE
            sources, targets = sources[left], targets[left]
        # Deep in noise: then anyhow. A tree of its own, so that none of its ways leads back to itself.
        parent = np.full(len(columns), NONE, np.uint32)
        reached = np.flatnonzero(self.parent != NONE).astype(np.uint32)
        native.graph_reach(columns.first.data, columns.edges.data, reached.data, parent.data)
        late = self.parent == NONE
        self.parent[late] = parent[late]


def tree_edges(columns: Columns, parent: Array, children: Array, edges: Array) -> Array:
    """Return by which reference each of `children` (ascending) hangs in the tree, around noise if possible.

    A root's is of no meaning.
    """
    is_child, is_holder = np.zeros(len(columns), bool), np.zeros(len(columns), bool)
    is_child[children] = True
    above = parent[children]
    is_holder[above[above != NONE]] = True
    holders = np.flatnonzero(is_holder)
    found = np.full(len(children), -1, np.int64)
    for part, sources, places in _references_of(columns, holders):
        targets = columns.edges[places]
        here = is_child[targets]
        here[here] = parent[targets[here]] == holders[part][sources[here]]
        rows = np.searchsorted(children, targets[here])
        _keep_first(found, rows, places[here], (edges[places] != targets)[here])
    return found


def path_edges(columns: Columns, path: Array, edges: Array) -> Array:
    """Return the references along a path, each object's to the next: the first; one around noise if any."""
    found = np.full(len(path) - 1, -1, np.int64)
    for part, sources, places in _references_of(columns, path[:-1]):
        targets = columns.edges[places]
        here = targets == path[1:][part][sources]
        rows = sources[here] + part.start
        _keep_first(found, rows, places[here], (edges[places] != targets)[here])
    return found


def _references_of(columns: Columns, things: Array) -> Iterator[tuple[slice, Array, Array]]:
    """Yield all references of objects, some objects' at a time: which objects, whose of those, and where."""
    first = columns.first[things].astype(np.int64)
    degrees = columns.first[things.astype(np.int64) + 1] - first
    for part in _parts(degrees):
        count = degrees[part]
        starts = np.repeat(first[part] - (np.cumsum(count) - count), count)
        yield part, np.repeat(np.arange(len(count)), count), starts + np.arange(len(starts))


def _keep_first(found: Array, rows: Array, places: Array, noise: Array) -> None:
    """Keep the first place for each row, one that is no noise before one that is."""
    for which in (noise, ~noise):
        found[rows[which][::-1]] = places[which][::-1]  # the last one written stays


def _parts(degrees: Array, most: int = 1 << 17) -> Iterator[slice]:
    """Yield slices whose references stay in the cache, as far as one object's alone do."""
    ends = np.cumsum(degrees)
    start = 0
    while start < len(degrees):
        before = int(ends[start - 1]) if start else 0
        stop = max(int(np.searchsorted(ends, before + most, "right")), start + 1)
        yield slice(start, stop)
        start = stop


def _matches(text: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)


def _distinct(strings: Array) -> list[int]:
    return [int(row) for row in np.unique(strings)]


def _texts_of(columns: Columns, things: Array) -> Iterator[tuple[int, int]]:
    rows = columns.texts[np.isin(columns.texts["object"], things)]
    return zip(rows["object"].tolist(), rows["text"].tolist(), strict=True)
