"""The graph that is worked out of a snapshot, against the definitions on seeded random heaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from outlive.heap.columns import Columns
from outlive.heap.index import IMMORTAL, NATIVE, UNREACHED, Index
from outlive.model.heap_layout import NONE, RootKind
from tests.heap import synthetic
from tests.heap.slow import Slow, random_heap
from tests.heap.synthetic import Heap

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = range(60)


def index_of(heap: Heap, folder: Path) -> Index:
    return Index(Columns(heap.write(folder / "x.heap")))


@pytest.mark.parametrize("seed", SEEDS)
def test_reverse_is_every_reference_turned_round(seed: int, tmp_path: Path) -> None:
    heap = random_heap(seed)
    index, slow = index_of(heap, tmp_path), Slow(heap)
    found = [
        (int(holder), row)
        for row in range(len(index))
        for holder in index.into[index.into_first[row] : index.into_first[row + 1]]
    ]
    assert sorted(found) == sorted((row, to) for row in range(len(index)) for to in slow.held(row))


@pytest.mark.parametrize("seed", SEEDS)
def test_retained_is_what_is_not_reached_without_the_object(seed: int, tmp_path: Path) -> None:
    heap = random_heap(seed)
    index, slow = index_of(heap, tmp_path), Slow(heap)
    alive = slow.reach(slow.starts())
    assert {row: int(index.retained[row]) for row in alive} == {row: slow.retained(row) for row in alive}


@pytest.mark.parametrize("seed", SEEDS)
def test_idom_is_the_nearest_that_nothing_gets_around(seed: int, tmp_path: Path) -> None:
    heap = random_heap(seed)
    index, slow = index_of(heap, tmp_path), Slow(heap)
    for row in slow.reach(slow.starts()):
        above = slow.dominators(row)
        nearest = [other for other in above if slow.dominators(other) == above - {other}]
        assert (nearest or [NONE]) == [int(index.idom[row])]


@pytest.mark.parametrize("seed", SEEDS)
def test_retained_by_several_is_what_is_not_reached_without_them_all(seed: int, tmp_path: Path) -> None:
    heap = random_heap(seed)
    index, slow = index_of(heap, tmp_path), Slow(heap)
    alive = sorted(slow.reach(slow.starts()))
    for rows in (alive[::2], alive[1::3], alive[-3:], alive):
        if len(rows) > 1:
            assert index.retained_by(np.array(rows, np.uint32)) == slow.retained(*rows)


@pytest.mark.parametrize("seed", SEEDS)
def test_parents_lead_to_a_root_the_short_way(seed: int, tmp_path: Path) -> None:
    heap = random_heap(seed)
    heap.roots = [(row, RootKind.INTERPRETER, name) for row, _, name in heap.roots]
    index, slow = index_of(heap, tmp_path), Slow(heap)
    distance = slow.distance()
    roots = {row for row, _, _ in heap.roots}
    for row in range(len(index)):
        if row in distance:
            steps, at = 0, row
            while (above := int(index.parent[at])) != at:
                assert at in slow.held(above)
                steps, at = steps + 1, above
            assert (steps, at in roots) == (distance[row], True)


@pytest.mark.parametrize("seed", SEEDS)
def test_garbage_is_what_nothing_outside_holds(seed: int, tmp_path: Path) -> None:
    heap = random_heap(seed)
    index, slow = index_of(heap, tmp_path), Slow(heap)
    garbage = set(range(len(index))) - slow.reach(slow.starts())
    assert set(np.flatnonzero(index.root_kind == UNREACHED)) == garbage
    assert set(np.flatnonzero(index.parent == NONE)) == garbage
    assert set(index.garbage.tolist()) == garbage


def test_roots_are_told_apart_and_modules_come_first(tmp_path: Path) -> None:
    heap = Heap()
    shared, local, plain, held, kept = (heap.add() for _ in range(5))
    thread = heap.thread("MainThread", [heap.frame(heap.code("f", "a.py", 1), 2, {"a": shared, "b": local})])
    heap.module("app", CACHE=heap.sequence([heap.sequence([heap.sequence([shared])])]))
    static = heap.add("type", root=(RootKind.STATIC, "int"), rest=[plain, shared])
    native = heap.add(native=1, rest=[held])
    immortal = heap.add(refcount=synthetic.IMMORTAL, rest=[kept, held])
    cycle = heap.add()
    heap.append(cycle, cycle)
    index = index_of(heap, tmp_path)
    kinds = [index.root_kind[row] for row in (shared, local, plain, held, kept, cycle)]
    expected = [RootKind.INTERPRETER, RootKind.THREAD, RootKind.STATIC, NATIVE, IMMORTAL, UNREACHED]
    assert kinds == expected
    for root in (thread, static, native, immortal):
        assert index.parent[root] == root


def test_what_is_held_from_outside_too_is_nobodys_own(tmp_path: Path) -> None:
    heap = Heap()
    free, kept, forever = heap.add(size=100), heap.add(size=200, native=1), heap.add(size=400, refcount=NONE)
    owner = heap.add("app.Owner", size=10, rest=[free, kept, forever], root=(RootKind.INTERPRETER, "x"))
    index = index_of(heap, tmp_path)
    assert index.retained[owner] == 110
    assert index.idom[[free, kept, forever]].tolist() == [owner, NONE, NONE]


def test_found_on_a_stack_is_the_frames(tmp_path: Path) -> None:
    heap = Heap()
    value = heap.add(size=100, root=(RootKind.STACK, ""), refcount=1)
    frame = heap.frame(heap.code("f", "a.py", 1), 2, stack=[value])
    heap.thread("MainThread", [frame])
    assert index_of(heap, tmp_path).idom[value] == frame


def test_garbage_cycles_retain_what_they_lead_to(tmp_path: Path) -> None:
    heap = Heap()
    leaf = heap.add(size=1000)
    first, second = heap.add(size=10), heap.add(size=20, rest=[leaf])
    heap.append(first, second)
    heap.append(second, first)
    index = index_of(heap, tmp_path)
    assert sorted(index.retained[[first, second]].tolist()) in ([1020, 1030], [10, 1030])
    assert index.retained_by(np.array([first, second], np.uint32)) == 1030


def test_a_chain_of_a_million(tmp_path: Path) -> None:
    links = 1_000_000
    sections = Heap().sections() | {
        "address": np.arange(1, links + 1, dtype="<u8").tobytes(),
        "size": np.full(links, 16, "<u4").tobytes(),
        "shape": bytes(4 * links),
        "refcount": np.ones(links, "<u4").tobytes(),
        "first": np.minimum(np.arange(links + 1), links - 1).astype("<u4").tobytes(),
        "edges": np.arange(1, links, dtype="<u4").tobytes(),
        "shapes": np.zeros(3, "<u4").tobytes(),
        "types": np.array([NONE, 0, 0, 0], "<u4").tobytes(),
        "string_offsets": np.array([0, 1], "<u4").tobytes(),
        "strings": b"x",
    }
    file = tmp_path / "x.heap"
    file.write_bytes(synthetic.encode(sections, objects=links, edges=links - 1))
    index = Index(Columns(file))
    assert index.retained[0] == 16 * links
    assert index.parent[links - 1] == links - 2


def test_sizes_of_four_gigabytes_and_more(tmp_path: Path) -> None:
    heap = Heap()
    small, big = heap.add(size=16), heap.add(size=5 << 30, native=1)
    index = index_of(heap, tmp_path)
    assert index.sizes[[small, big]].tolist() == [16, 5 << 30]
    assert index.total_bytes == (5 << 30) + 16


def test_an_empty_heap(tmp_path: Path) -> None:
    index = index_of(Heap(), tmp_path)
    assert (len(index), len(index.parent), len(index.retained), index.total_bytes) == (0, 0, 0, 0)
