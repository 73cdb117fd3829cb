"""Censuses: exact counts and bytes, retained ones against the definition."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from outlive.errors import UsageError
from outlive.heap import census
from outlive.heap.columns import Columns
from outlive.heap.index import Index
from outlive.model.heap import Total
from outlive.model.heap_layout import NONE, RootKind
from tests.heap.slow import Slow, random_heap
from tests.heap.synthetic import Heap

if TYPE_CHECKING:
    from pathlib import Path


def index_of(heap: Heap, folder: Path) -> Index:
    return Index(Columns(heap.write(folder / "x.heap")))


@pytest.mark.parametrize("seed", range(30))
def test_counts_and_bytes_are_exact(seed: int, tmp_path: Path) -> None:
    heap = random_heap(seed, 100)
    totals = census.census(index_of(heap, tmp_path))
    assert {total.name: total.count for total in totals} == Counter(thing.type for thing in heap.things)
    for total in totals:
        sizes = [thing.size for thing in heap.things if thing.type == total.name]
        assert total.shallow_bytes == sum(sizes)


@pytest.mark.parametrize("seed", range(30))
def test_retained_counts_nothing_twice_and_nothing_others_hold(seed: int, tmp_path: Path) -> None:
    heap = random_heap(seed, 60)
    index, slow = index_of(heap, tmp_path), Slow(heap)
    alive = slow.reach(slow.starts())
    for total in census.census(index):
        rows = [row for row in alive if heap.things[row].type == total.name]
        outer = [row for row in rows if not slow.dominators(row) & set(rows)]
        garbage = total.retained_bytes - sum(slow.retained(row) for row in outer)
        assert garbage >= 0
        assert garbage == 0 or any(
            heap.things[row].type == total.name for row in range(len(index)) if row not in alive
        )


def test_nested_objects_of_a_type_count_once(tmp_path: Path) -> None:
    heap = Heap()
    leaf = heap.add("app.Node", size=10)
    middle = heap.add("app.Node", size=20, rest=[leaf])
    heap.add("app.Node", size=30, rest=[middle, heap.text("x", 5)], native=1)
    totals = census.census(index_of(heap, tmp_path))
    assert totals == [Total("app.Node", 3, 60, 65), Total("str", 1, 5, 5)]


def test_largest_first_and_limited(tmp_path: Path) -> None:
    heap = Heap()
    for number, name in enumerate(("a.A", "b.B", "c.C")):
        heap.add(name, size=100 * number + 1, native=1)
    index = index_of(heap, tmp_path)
    assert [total.name for total in census.census(index)] == ["c.C", "b.B", "a.A"]
    assert [total.name for total in census.census(index, limit=1)] == ["c.C"]


def test_two_types_of_one_name_are_one_row(tmp_path: Path) -> None:
    heap = Heap()
    heap.add("app.Twin", size=1, native=1)
    heap.add("app.Other", size=2, native=1)
    heap.types["app.Zwin"] = heap.types["app.Other"]
    heap.add("app.Zwin", size=4, native=1)
    (tmp_path / "x.heap").write_bytes(heap.encode().replace(b"app.Zwin", b"app.Twin"))
    totals = census.census(Index(Columns(tmp_path / "x.heap")))
    assert totals == [Total("app.Twin", 2, 5, 5), Total("app.Other", 1, 2, 2)]


def test_threads_and_running_frames_are_no_objects(tmp_path: Path) -> None:
    heap = Heap()
    local = heap.add("app.Local", size=7)
    frame = heap.frame(heap.code("f", "a.py", 1), 2, {"x": local}, address=0)
    suspended = heap.frame(heap.code("g", "a.py", 1), 2)
    heap.thread("MainThread", [frame, suspended])
    totals = {total.name: total.count for total in census.census(index_of(heap, tmp_path))}
    assert totals == {"app.Local": 1, "code": 2, "frame": 1}


def test_by_module_the_longest_that_is_one(tmp_path: Path) -> None:
    heap = Heap()
    heap.module("app")
    heap.module("app.models")
    for name in (
        "app.models.Order",
        "app.models.Outer.Inner",
        "app.Top",
        "gone.Class",
        "gone.make.<locals>.Local",
        "dict",
        "app.models",
    ):
        heap.add(name, size=1, native=1)
    totals = {total.name: total.count for total in census.census(index_of(heap, tmp_path), "module")}
    builtin = sum(1 for thing in heap.things if "." not in thing.type)
    assert totals == {"app": 2, "app.models": 2, "gone": 2, "builtins": builtin}


def test_by_what_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't take a census by 'colour'"):
        census.census(index_of(Heap(), tmp_path), "colour")  # type: ignore[arg-type]


def test_any_grouping_of_some_objects(tmp_path: Path) -> None:
    heap = Heap()
    child = heap.add(size=1)
    parent = heap.add(size=2, rest=[child])
    heap.add(size=4, native=1)
    heap.roots.append((parent, RootKind.INTERPRETER, "x"))
    groups = np.array([0, 1, NONE], np.uint32)
    totals = census.grouped(index_of(heap, tmp_path), groups, ["line 3", "line 8", "line 9"])
    assert totals == [Total("line 8", 1, 2, 3), Total("line 3", 1, 1, 1)]
