"""Equal values kept more than once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from outlive.errors import OutliveError
from outlive.heap import duplicates
from outlive.heap.columns import Columns
from outlive.heap.index import Index
from tests.heap.synthetic import Heap

if TYPE_CHECKING:
    from pathlib import Path

    from outlive.model.heap import Duplicate


def found(heap: Heap, folder: Path, limit: int = 10) -> list[Duplicate]:
    index = Index(Columns(heap.write(folder / "x.heap")))
    return duplicates.duplicates(index, lambda row: f"held {row % 2}", limit)


def planted() -> Heap:
    heap = Heap()
    for kind, size, content, copies in (
        ("str", 60, 1, 10),
        ("tuple", 100, 2, 3),
        ("str", 500, 3, 1),
        ("bytes", 33, 1, 2),
        ("int", 28, (1 << 64) - 1, 2),
    ):
        for _ in range(copies):
            heap.add(kind, size=size, content=content)
    heap.add("list", size=900)
    return heap


def test_most_wasted_first_and_nothing_that_is_kept_once(tmp_path: Path) -> None:
    duplicates = found(planted(), tmp_path)
    assert [(one.type, one.count, one.bytes_each, one.wasted_bytes) for one in duplicates] == [
        ("str", 10, 60, 540),
        ("tuple", 3, 100, 200),
        ("bytes", 2, 33, 33),
        ("int", 2, 28, 28),
    ]


def test_limited(tmp_path: Path) -> None:
    assert [one.type for one in found(planted(), tmp_path, 1)] == ["str"]


def test_holders_are_said_once_the_most_frequent_first(tmp_path: Path) -> None:
    heap = Heap()
    for _ in range(5):
        heap.add("str", size=60, content=1)
    (one,) = found(heap, tmp_path)
    assert one.holders == ("held 0", "held 1")


def test_a_copy_that_is_larger_is_the_one_to_keep(tmp_path: Path) -> None:
    heap = Heap()
    for size in (60, 90, 60):
        heap.add("str", size=size, content=1)
    (one,) = found(heap, tmp_path)
    assert (one.bytes_each, one.wasted_bytes) == (60, 120)


def test_a_snapshot_without_contents(tmp_path: Path) -> None:
    heap = Heap()
    heap.add()
    with pytest.raises(OutliveError, match="it was taken without them"):
        found(heap, tmp_path)
