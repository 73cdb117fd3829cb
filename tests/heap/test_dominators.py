"""The dominator tree's largest, children and treemap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from outlive.heap import dominators
from outlive.heap.columns import Columns
from outlive.heap.dominators import Branch
from outlive.heap.index import Index
from outlive.model.heap import Dominator
from tests.heap.slow import Slow, random_heap
from tests.heap.synthetic import Heap

if TYPE_CHECKING:
    from pathlib import Path


def index_of(heap: Heap, folder: Path) -> Index:
    return Index(Columns(heap.write(folder / "x.heap")))


def held(row: int) -> str:
    return f"to {row}"


def planted() -> Heap:
    heap = Heap()
    small = [heap.add("app.Leaf", size=size) for size in (30, 10, 20)]
    cache = heap.add("app.Cache", size=100, rest=small)
    heap.add("app.App", size=40, rest=[cache, heap.add("app.Leaf", size=5)], native=1)
    heap.add("app.Other", size=50, native=1)
    return heap


def test_largest_at_the_top_and_below(tmp_path: Path) -> None:
    index = index_of(planted(), tmp_path)
    top = dominators.largest(index, held, 10)
    assert top == [Dominator(5, "app.App", 40, 205, "to 5"), Dominator(6, "app.Other", 50, 50, "to 6")]
    assert [one.object for one in dominators.largest(index, held, 10, 5)] == [3, 4]
    assert [one.object for one in dominators.largest(index, held, 2, 3)] == [0, 2]
    assert dominators.largest(index, held, 10, 0) == []


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("limit", [1, 5, 100])
def test_largest_are_those_that_nothing_dominates(seed: int, limit: int, tmp_path: Path) -> None:
    heap = random_heap(seed)
    index, slow = index_of(heap, tmp_path), Slow(heap)
    tops = [row for row in slow.reach(slow.starts()) if not slow.dominators(row)]
    garbage = set(index.garbage.tolist())
    found = [one for one in dominators.largest(index, held, 100) if one.object not in garbage]
    expected = sorted((-slow.retained(row), row) for row in tops)
    assert [(-one.retained_bytes, one.object) for one in found] == expected
    few = dominators.largest(index, held, limit)
    sizes = [one.retained_bytes for one in dominators.largest(index, held, 100)]
    assert [one.retained_bytes for one in few] == sizes[:limit]


def test_tree_shows_what_is_large_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    index = index_of(planted(), tmp_path)
    tree = dominators.tree(index, held, share=0.07)
    assert [branch.dominator.object for branch in tree] == [5, 6]
    app = tree[0]
    assert (app.left_out, app.left_out_bytes) == (1, 5)
    (cache,) = app.branches
    assert [branch.dominator.object for branch in cache.branches] == [0, 2]
    assert (cache.left_out, cache.left_out_bytes) == (1, 10)


def test_tree_is_as_deep_and_wide_as_asked(tmp_path: Path) -> None:
    index = index_of(planted(), tmp_path)
    (cache,) = dominators.tree(index, held, 5, depth=1, width=1, share=0)
    assert cache == Branch(Dominator(3, "app.Cache", 100, 160, "to 3"), (), 3, 60)


def test_tree_of_a_chain_ends(tmp_path: Path) -> None:
    heap = Heap()
    link = heap.add(size=1)
    for _ in range(5000):
        link = heap.add(size=1, rest=[link])
    heap.things[link].native = 1
    tree, depth = dominators.tree(index_of(heap, tmp_path), held, depth=50), 0
    while tree:
        tree, depth = tree[0].branches, depth + 1
    assert depth == 50


def test_as_many_as_asked_for_of_many_alike(tmp_path: Path) -> None:
    heap = Heap()
    for _ in range(100):
        heap.add(size=16, native=1)
    big = heap.add(size=17, native=1)
    assert [one.object for one in dominators.largest(index_of(heap, tmp_path), held, 3)] == [big, 0, 1]


@pytest.mark.parametrize("seed", range(20))
def test_tree_has_the_same_children_as_below(seed: int, tmp_path: Path) -> None:
    index = index_of(random_heap(seed, 100), tmp_path)

    def check(branches: tuple[Branch, ...], row: int | None) -> None:
        shown = [branch.dominator for branch in branches]
        assert shown == dominators.largest(index, held, 1000, row)
        for branch in branches:
            assert (branch.left_out, branch.left_out_bytes) == (0, 0)
            check(branch.branches, branch.dominator.object)

    check(dominators.tree(index, held, depth=1000, width=1000, share=0), None)
