"""The graph functions of the native core: against the slow way, and columns that don't fit."""

from __future__ import annotations

from array import array
from itertools import accumulate
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlive.heap.core import native

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from random import Random

NONE = 0xFFFF_FFFF


def u4(rows: Iterable[int]) -> array[int]:
    return array("I", rows)


def u8(rows: Iterable[int]) -> array[int]:
    return array("Q", rows)


class Slow:
    """A graph as sets, and everything about it by taking objects away."""

    def __init__(self, objects: int, references: Iterable[tuple[int, int]]) -> None:
        self.objects = objects
        self.references = sorted(references, key=lambda reference: reference[0])
        self.of: list[list[int]] = [[] for _ in range(objects)]
        for holder, held in self.references:
            self.of[holder].append(held)

    def columns(self) -> tuple[array[int], array[int]]:
        first = [0, *accumulate(len(held) for held in self.of)]
        edges = [held for of in self.of for held in of]
        return u4(first), u4(edges)

    def reached(self, starts: Collection[int], without: Collection[int] = ()) -> set[int]:
        met = set(starts) - set(without)
        more = list(met)
        while more:
            for held in self.of[more.pop()]:
                if held not in met and held not in without:
                    met.add(held)
                    more.append(held)
        return met

    def dominated(self, starts: Collection[int]) -> dict[int, set[int]]:
        """By object: itself, and what nobody holds without it."""
        everything = self.reached(starts)
        return {gone: everything - self.reached(starts, {gone}) for gone in everything}


class Fast:
    """What the native core says of the same graph."""

    def __init__(self, slow: Slow, starts: Collection[int], *, rest: bool = False) -> None:
        self.first, self.edges = slow.columns()
        self.into_first, self.into = u4(self.first), u4(self.edges)
        native.graph_reverse(self.first, self.edges, self.into_first, self.into)
        self.idom, self.order = (u4(range(slow.objects)) for _ in range(2))
        columns = self.first, self.edges, self.into_first, self.into, u4(starts)
        self.reached = native.graph_dominators(*columns, self.idom, self.order, rest)
        self.order = self.order[: None if rest else self.reached]

    def retained(self, sizes: array[int]) -> array[int]:
        retained = u8(self.idom)
        native.graph_retained(self.idom, self.order, sizes, retained)
        return retained

    def retained_by_group(self, sizes: array[int], groups: array[int], count: int) -> list[int]:
        sums = u8([99] * count)
        native.graph_retained_by_group(self.idom, self.order, self.retained(sizes), groups, sums)
        return list(sums)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Slow, list[int]]:
    """A graph, with references to itself and the same one twice, and starts."""
    objects = draw(st.integers(1, 20))
    one = st.integers(0, objects - 1)
    references = draw(st.lists(st.tuples(one, one), max_size=3 * objects))
    return Slow(objects, references), draw(st.lists(one, max_size=4))


@given(graphs())
def test_references_are_turned_round(graph: tuple[Slow, list[int]]) -> None:
    slow, _ = graph
    fast = Fast(slow, [0])
    turned = [
        (holder, held)
        for held in range(slow.objects)
        for holder in fast.into[fast.into_first[held] : fast.into_first[held + 1]]
    ]
    assert sorted(turned) == sorted(slow.references)


@given(graphs())
def test_what_starts_lead_to_is_reached(graph: tuple[Slow, list[int]]) -> None:
    slow, starts = graph
    parent = u4([NONE] * slow.objects)
    first, edges = slow.columns()
    assert native.graph_reach(first, edges, u4(starts), parent) == len(slow.reached(starts))
    assert {each for each in range(slow.objects) if parent[each] != NONE} == slow.reached(starts)
    assert all(parent[each] == each for each in starts)
    others = slow.reached(starts) - {*starts}
    assert all(each in slow.of[parent[each]] for each in others)


@given(graphs())
def test_dominators_are_those_of_the_slow_way(graph: tuple[Slow, list[int]]) -> None:
    slow, starts = graph
    fast, dominated = Fast(slow, starts), slow.dominated(starts)
    assert fast.reached == len(dominated)
    assert sorted(fast.order) == sorted(dominated)
    for each in range(slow.objects):
        above = {holder for holder in dominated if holder != each and each in dominated[holder]}
        nearest = [holder for holder in above if all(holder in dominated[other] for other in above)]
        assert fast.idom[each] == (nearest[0] if nearest else NONE)


@given(graphs(), st.randoms(use_true_random=False))
def test_retained_sizes_are_what_would_go(graph: tuple[Slow, list[int]], random: Random) -> None:
    slow, starts = graph
    fast, dominated = Fast(slow, starts), slow.dominated(starts)
    sizes = u8(random.randrange(1 << 40) for _ in range(slow.objects))
    groups = u4([random.choice([0, 1, 2, NONE]) for _ in range(slow.objects)])
    for each, bytes_retained in enumerate(fast.retained(sizes)):
        assert bytes_retained == sum(sizes[i] for i in dominated.get(each, {each}))
    for group, total in enumerate(fast.retained_by_group(sizes, groups, 3)):
        members = [each for each in dominated if groups[each] == group]
        assert total == sum(sizes[i] for i in set().union(*(dominated[each] for each in members)))


@settings(max_examples=50)
@given(graphs())
def test_the_rest_follows_without_a_word_on_what_is_held(graph: tuple[Slow, list[int]]) -> None:
    slow, starts = graph
    held, everything = Fast(slow, starts), Fast(slow, starts, rest=True)
    assert everything.reached == held.reached
    assert list(everything.order[: held.reached]) == list(held.order)
    assert sorted(everything.order) == list(range(slow.objects))
    reached = slow.reached(starts)
    rest = set(range(slow.objects)) - reached
    assert all(everything.idom[each] == held.idom[each] for each in reached)
    assert all(everything.idom[each] in {NONE, *rest} for each in rest)


def test_a_cycle_that_nothing_holds_is_held_by_one_of_its_own() -> None:
    # 0 is held, 1 -> 2 -> 3 -> 1 is not; 2 refers to 0.
    fast = Fast(Slow(4, [(1, 2), (2, 3), (3, 1), (2, 0)]), [0], rest=True)
    assert list(fast.idom) == [NONE, NONE, 1, 2]
    assert list(fast.retained(u8([10] * 4))) == [10, 30, 20, 10]


def test_columns_that_do_not_fit_are_refused() -> None:
    slow = Slow(3, [(0, 1), (1, 2)])
    fast = Fast(slow, [0])
    first, edges, turned = fast.first, fast.edges, (fast.into_first, fast.into)
    short, three, sizes, start = u4([0] * 2), u4([0] * 3), u8([0] * 3), u4([0])
    wrong_edges, odd = u4([1, 3]), memoryview(bytes(13))[1:]
    calls: list[Callable[[], object]] = [
        lambda: native.graph_reverse(b"", b"", bytearray(), bytearray()),
        lambda: native.graph_reverse(first, wrong_edges, *turned),
        lambda: native.graph_reverse(first, edges, three, fast.into),
        lambda: native.graph_reverse(first, edges, fast.into_first, three),
        lambda: native.graph_reverse(first[:-1], edges, *turned),
        lambda: native.graph_reach(first, edges, u4([3]), three),
        lambda: native.graph_reach(first, edges, b"\0\0\0", three),
        lambda: native.graph_reach(first, edges, odd, three),
        lambda: native.graph_reach(first, edges, start, short),
        lambda: native.graph_dominators(first, edges, *turned, start, short, three),
        lambda: native.graph_dominators(first, edges, *turned, start, three, short),
        lambda: native.graph_dominators(first, edges, first, wrong_edges, start, three, three[:]),
        lambda: native.graph_retained(fast.idom, fast.order, sizes[:2], sizes[:]),
        lambda: native.graph_retained(fast.idom, fast.order, sizes, sizes[:2]),
        lambda: native.graph_retained(fast.idom, u4([3]), sizes, sizes[:]),
        lambda: native.graph_retained_by_group(fast.idom, fast.order, sizes, short, sizes[:]),
        lambda: native.graph_retained_by_group(fast.idom, fast.order, sizes, three, u8([])),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="fit"):
            call()


def test_what_must_be_writable_is() -> None:
    first, edges = Slow(1, []).columns()
    with pytest.raises((TypeError, BufferError)):
        native.graph_reverse(first, edges, bytes(8), bytearray())


def test_a_buffer_is_given_back_after_an_error() -> None:
    parent = bytearray(b"\xff" * 4)
    with pytest.raises(ValueError, match="fit"):
        native.graph_reach(b"\0" * 8, b"", b"\0", parent)
    parent.append(0)  # BufferError while anything still has it
