"""Why objects are alive: the ways in which they are held, in words, alike ones counted as one.

Of many objects each is counted, and one of each class (classes.py) is followed. Where those are too many, the
largest are, and what is left is taken to be held as its neighbour is. Objects in one list or dict have
one way.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from outlive.heap import sites
from outlive.heap.classes import class_of_units
from outlive.heap.cycles import holders as holders_of
from outlive.heap.filters import NOISE
from outlive.heap.routes import GARBAGE, Route, Routes, merged
from outlive.heap.ways import Ways, tree_edges
from outlive.heap.words import join
from outlive.model.heap import Holder
from outlive.model.heap_layout import NONE, Rest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from outlive.heap.columns import Columns
    from outlive.heap.filters import Filter
    from outlive.heap.index import Index

    Array = NDArray[Any]

_COUNTED_MAX = 2_000_000
_FOLLOWED_MAX = 500
_STRATA_MAX = 200
_GARBAGE = -(1 << 40)
_DEEP_MAX = 64  # objects on a way; of those deeper, only some are followed
_DEEP_FOLLOWED_MAX = 2
_GARBAGE_FOLLOWED_MAX = 30
_SHOWN_OF_EACH = 3
_ASKED_FOR_OTHERS = 32
_OTHERS_OF_EACH = 6
_STEPS_UP = 12


class Holders:
    """Answers why objects of a snapshot are alive. Trees of ways are kept: the second question is fast."""

    def __init__(self, columns: Columns, index: Index) -> None:
        self.columns, self.index = columns, index
        self.routes = Routes(columns, index)

    def held(self, row: int) -> str:
        """Return the best way to one object, as text."""
        return self.routes.best(self.routes.ways(NOISE), row).text

    def held_differently(self, rows: Array, most: int) -> list[int]:
        """Return `most` of the objects (ascending rows), and of each way in which they are held one first."""
        groups = _Asked(self.routes, self.routes.ways(NOISE), rows).best()
        found = (row for at in range(most) for group in groups for row in group.rows[at : at + 1].tolist())
        return sorted(islice(found, most))

    def why(self, rows: Array, limit: int | None = 10, filters: Sequence[Filter] = NOISE) -> list[Holder]:
        """Return the ways in which objects (ascending rows) are held, what keeps most alive first.

        An object held in several ways counts in each. `filters` are looked around where that is possible.
        """
        if not len(rows):
            return []
        asked = _Asked(self.routes, self.routes.ways(filters), rows)
        found = asked.ways_held()
        retained = self._retained(rows, found)
        ranked = sorted(
            zip(found, retained, strict=True),
            key=lambda pair: (-pair[1], -pair[0].count, pair[0].is_other, pair[0].shown[0].length),
        )
        return [self._holder(one, size, len(rows)) for one, size in ranked[:limit]]

    def _retained(self, rows: Array, found: list[_Group]) -> list[int]:
        if len(rows) == 1:
            return [int(self.index.retained[rows[0]])] * len(found)
        # An object has one best way, so those are disjoint; of others, the share that was counted.
        groups = np.full(len(self.columns), NONE, np.uint32)
        best = [one for one in found if not one.is_other]
        for number, one in enumerate(best):
            groups[one.rows] = number
        sums = self.index.retained_by_group(groups, len(best))
        sizes = dict(zip(map(id, best), sums.tolist(), strict=True))
        return [
            sizes[id(one.of)] * one.count // max(one.of.count, 1) if one.of is not one else sizes[id(one)]
            for one in found
        ]

    def _holder(self, one: _Group, retained: int, asked: int) -> Holder:
        path = merged(one.shown)
        text = join(path)
        if one.followed < asked and one.estimated:
            text += f" (estimated: {one.followed:,} of {asked:,} followed)"
        made = sites.made(self.columns, one.rows)
        return Holder(one.count, retained, one.shown[0].root, path, text, made)


@dataclass(eq=False)
class _Group:
    """Objects held in ways of one signature."""

    rows: Array
    count: int
    shown: list[Route]
    followed: int = 0
    estimated: bool = False
    parent: _Group | None = None
    things: list[int] = field(default_factory=list)

    @property
    def of(self) -> _Group:
        """The group in which its objects have their best way."""
        return self.parent or self

    @property
    def is_other(self) -> bool:
        """Whether it is not the best way."""
        return self.parent is not None


class _Asked:
    """Objects asked for, and how they are held."""

    def __init__(self, routes: Routes, ways: Ways, rows: Array) -> None:
        self.routes, self.ways, self.rows = routes, ways, rows
        self.columns, self.index = routes.columns, routes.index
        self._known = dict[int, Route]()

    def _route(self, thing: int) -> Route:
        """Return the best way to an object; a deep one takes time, and is asked for more than once."""
        if thing not in self._known:
            self._known[thing] = self.routes.best(self.ways, thing)
        return self._known[thing]

    def ways_held(self) -> list[_Group]:
        """Return groups of the objects by their best way, then of some by others."""
        best = self.best()
        return [*best, *self._others(best)]

    # -- the best ways

    def best(self) -> list[_Group]:
        """Return groups of the objects by their best way, the most frequent first."""
        sampled = self._even(self.rows, _COUNTED_MAX)
        keys = self._units(sampled)
        units, first, unit_of, weights = np.unique(
            keys, return_index=True, return_inverse=True, return_counts=True
        )
        chosen, nearest, is_exact = self._chosen(units, weights)
        things = sampled[first[chosen]].tolist()
        by_signature = self._followed(things)
        signature_of_chosen = np.empty(len(chosen), np.int64)
        for number, members in enumerate(by_signature):
            signature_of_chosen[members] = number
        group_of_sampled = signature_of_chosen[nearest][unit_of]
        places = self._even(np.arange(len(self.rows)), _COUNTED_MAX)
        group_of = group_of_sampled[_nearest(places, (places[1:] + places[:-1]) // 2, len(self.rows))]
        estimated = not is_exact or (len(units) > 1 and len(sampled) < len(self.rows))
        found = []
        for number, members in enumerate(by_signature):
            rows = self.rows[group_of == number]
            shown = self._shown(rows, things[members[0]])
            group = _Group(
                rows, len(rows), shown, len(chosen), estimated, things=[things[at] for at in members]
            )
            found.append(group)
        return found

    def _chosen(self, units: Array, weights: Array) -> tuple[Array, Array, bool]:
        """Return which units to follow, for each unit the one, of those, that it is like, and whether it is.

        Units of one class are held alike, and one of each class is followed. Where there are too many
        classes, that is of the largest; the other units are taken to be like the nearest one in a holder of
        the same shape, in the same place.
        """
        classes = class_of_units(self.columns, self.ways, units, self._units)
        unique, first, class_of = np.unique(classes, return_index=True, return_inverse=True)
        if len(unique) <= _FOLLOWED_MAX:
            return first, class_of, True
        weight = np.bincount(class_of, weights)
        largest = np.argsort(-weight, kind="stable")[:_FOLLOWED_MAX]
        holders = np.where(units >= 0, units >> 32, 0)
        shapes = self.columns.shape[holders].astype(np.int64)
        strata = np.where(units >= 0, shapes << 32 | (units & 0xFFFF_FFFF), np.maximum(units, _GARBAGE))
        order = np.argsort(strata, kind="stable")
        rank = np.empty(len(units), np.int64)
        rank[order] = np.arange(len(units))
        places = np.sort(rank[first[largest]])
        last_of_lower = (places[1:] + places[:-1]) // 2
        crosses = strata[order[places[1:]]] != strata[order[places[:-1]]]
        last_of_lower[crosses] = places[1:][crosses] - 1
        nearest = np.empty(len(units), np.int64)
        nearest[order] = _nearest(places, last_of_lower, len(units))
        chosen = order[places]
        known = np.full(len(unique), -1, np.int64)
        known[class_of[chosen]] = np.arange(len(chosen))
        exact = known[class_of]
        return chosen, np.where(exact >= 0, exact, nearest), False

    def _even(self, rows: Array, most: int) -> Array:
        """Return `most` of the rows, evenly chosen, or all."""
        if len(rows) <= most:
            return rows
        return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]

    def _units(self, rows: Array) -> Array:
        """Return a number for each object, equal for those in one container, which are held alike."""
        columns, ways = self.columns, self.ways
        parent = ways.parent[rows].astype(np.int64)
        edges = tree_edges(columns, ways.parent, rows, ways.edges)
        inside = (parent != NONE) & (parent != rows)
        holder = np.where(inside, parent, 0)
        shapes = columns.shapes[columns.shape[holder]]
        place = edges - columns.first[holder]
        named = shapes["named"].astype(np.int64)
        pairs = shapes["rest"] == Rest.MAPPING
        odd = np.where(pairs, (place - named) % 2, 0)
        own = (place < named) | (pairs & self._are_namespaces(holder, pairs))
        kind = np.where(own, place, named + odd)
        keys = (holder << 32) | kind
        # Roots are alike as far as their types are; garbage is not.
        keys[~inside] = -1 - columns.shape[rows[~inside]].astype(np.int64)
        garbage = parent == NONE
        keys[garbage] = _GARBAGE - np.arange(np.count_nonzero(garbage))
        return keys

    def _are_namespaces(self, holders: Array, which: Array) -> Array:
        """Return whether objects are dicts of attributes or of global names."""
        columns, ways = self.columns, self.ways
        dicts = np.unique(holders[which]).astype(np.uint32)
        names = np.array(
            [row for row in np.unique(columns.shape_names) if columns.text(row) == "__dict__"], np.int64
        )
        parents = ways.parent[dicts]
        dicts, parents = dicts[parents != NONE], parents[parents != NONE]
        edges = tree_edges(columns, ways.parent, dicts, ways.edges)
        shapes = columns.shapes[columns.shape[parents]]
        place = edges - columns.first[parents]
        named = (edges >= 0) & (place < shapes["named"])
        at = np.where(named, shapes["names"] + place, 0)
        are = (
            dicts[named & np.isin(columns.shape_names[at], names)] if len(columns.shape_names) else dicts[:0]
        )
        return np.isin(holders, are)

    def _followed(self, things: list[int]) -> list[list[int]]:
        """Return the places of objects by the signature of their best way, the most frequent first."""
        found = defaultdict[tuple[str, ...], list[int]](list)
        deep = defaultdict[tuple[int, ...], list[int]](list)
        garbage = list[int]()
        ups = [self.ways.climb(thing, _DEEP_MAX) for thing in things]
        if len(things) > 1:
            self.ways.find_edges([one for up in ups for one in up])
        for at, (thing, up) in enumerate(zip(things, ups, strict=True)):
            if self.ways.parent[up[0]] == NONE and len(garbage) >= _GARBAGE_FOLLOWED_MAX:
                garbage.append(at)
            elif len(up) == _DEEP_MAX:
                deep[tuple(sorted({int(self.columns.shape[one]) for one in up}))].append(at)
            else:
                if self.ways.parent[up[0]] == NONE:
                    garbage.append(at)
                found[self._route(thing).signature].append(at)
        for alike in deep.values():
            chosen = self._even(np.array(alike), _DEEP_FOLLOWED_MAX).tolist()
            signatures = [self._route(things[at]).signature for at in chosen]
            nearest = np.abs(np.subtract.outer(alike, chosen)).argmin(1)
            for at, near in zip(alike, nearest.tolist(), strict=True):
                found[signatures[near]].append(at)
        if rest := garbage[_GARBAGE_FOLLOWED_MAX:]:
            most = max((key for key in found if key[0] == GARBAGE), key=lambda key: len(found[key]))
            found[most] += rest
        return sorted(found.values(), key=len, reverse=True)

    def _shown(self, rows: Array, followed: int) -> list[Route]:
        """Return the ways to a few of a group's objects, of which the words are made."""
        route = self._route(followed)
        some = self._even(rows, _SHOWN_OF_EACH) if route.length < _DEEP_MAX else rows[-1:]
        others = [self._route(int(row)) for row in some]
        return [route, *(other for other in others if other.signature == route.signature)]

    # -- other ways

    def _others(self, best: list[_Group]) -> Iterator[_Group]:
        """Yield the ways over other holders, of the objects themselves or of what holds them."""
        known = {group.shown[0].signature for group in best}
        found = dict[tuple[tuple[str, ...], int], tuple[_Group, list[Route], set[int]]]()
        for group in best[:_ASKED_FOR_OTHERS]:
            if group.shown[0].root.kind == GARBAGE:
                continue
            asked = self._even(group.rows, max(1, _ASKED_FOR_OTHERS // len(best))).tolist()
            for thing in asked:
                for route in self._around(thing):
                    if route.signature not in known:
                        key = (route.signature, id(group))
                        _, routes, things = found.setdefault(key, (group, [], set()))
                        routes.append(route)
                        things.add(thing)
            for key, (of, routes, things) in found.items():
                if of is group:
                    share = len(things) / len(asked)
                    yield _Group(
                        group.rows,
                        max(1, round(share * group.count)),
                        routes[:_SHOWN_OF_EACH],
                        len(asked),
                        len(asked) < group.count and share < 1,
                        parent=group,
                    )
                    known.add(key[0])

    def _around(self, thing: int) -> Iterator[Route]:
        """Yield ways to an object that differ from its best one in one reference."""
        seen = set[tuple[str, ...]]()
        chain = self.ways.climb(thing, _STEPS_UP)
        for at, one in enumerate(chain):
            if one in self.routes.modules.names:
                return
            below = chain[:at][::-1]
            left = _OTHERS_OF_EACH
            for holder in holders_of(self.index, self.ways, one):
                if holder in (self.ways.parent[one], one) or not left:
                    continue
                up = self.ways.climb(holder, _DEEP_MAX)
                if (
                    len(up) == _DEEP_MAX
                    or self.ways.parent[up[-1]] == NONE
                    or not set(chain).isdisjoint(up[:1])
                ):
                    continue
                if one in up or thing in up or self._is_noisy(up[::-1]):
                    continue
                way = [*up[::-1], one, *below]
                route = self.routes.before_task(self.ways, way) or self.routes.along(self.ways, way)
                if route.signature not in seen:
                    seen.add(route.signature)
                    left -= 1
                    yield route

    def _is_noisy(self, objects: list[int]) -> bool:
        """Whether a way leads over what is filtered."""
        return any(map(self.ways.is_filtered, self.routes.edges(self.ways, objects)))


def _nearest(places: Array, last_of_lower: Array, count: int) -> Array:
    """Return for each of `count` places which of `places` it goes with: the lower one as far as is said."""
    if len(places) == count:
        return np.arange(count)
    return np.searchsorted(last_of_lower, np.arange(count), "left")
