"""Objects by what people call them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from outlive.errors import OutliveError, UsageError
from outlive.heap import find
from outlive.heap.columns import Columns
from outlive.heap.index import Index
from tests.heap import synthetic
from tests.heap.synthetic import Heap

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def heap() -> Heap:
    heap = Heap()
    for name in ("app.models.UserActivity", "app.models.Order", "shop.Order", "app.models.UserActivity"):
        heap.add(name)
    return heap


@pytest.fixture
def index(heap: Heap, tmp_path: Path) -> Index:
    return Index(Columns(heap.write(tmp_path / "x.heap")))


@pytest.mark.parametrize(
    ("what", "rows"),
    [
        ("app.models.UserActivity", [0, 3]),
        ("models.UserActivity", [0, 3]),
        ("UserActivity", [0, 3]),
        ("shop.Order", [2]),
        (2, [2]),
        ("2", [2]),
        (f"{0x7F00_0000_0040:#x}", [1]),
        (" 0X7F0000000040 ", [1]),
    ],
)
def test_found(what: object, rows: list[int], index: Index) -> None:
    assert find.objects(index, what).tolist() == rows


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("Order", "Order is the name of several types: app.models.Order, shop.Order; give the name in full"),
        ("UserActivty", "did you mean app.models.UserActivity?"),
        ("useractivity", "did you mean app.models.UserActivity?"),
        ("app.UserActivity", "did you mean app.models.UserActivity?"),
        ("svc.Order", "did you mean app.models.Order or shop.Order?"),
        ("x.models.order", "did you mean app.models.Order or shop.Order?"),
        ("x.shop.Order", "did you mean shop.Order or app.models.Order?"),
        ("Activity", "no object of a type Activity is in the snapshot"),
        ("quite different", "outlive census lists them"),
        ("", "no object of a type  is in the snapshot"),
        ("0x-1", "0x-1 is no address"),
        ("0xyz", "0xyz is no address; write it as 0x7f0123456780"),
        ("4", "there is no object 4: the snapshot has 4"),
        (-1, "there is no object -1"),
        (1 << 70, "there is no object"),
    ],
)
def test_not_found(what: object, said: str, index: Index) -> None:
    with pytest.raises(UsageError) as caught:
        find.objects(index, what)
    assert said in str(caught.value)


@pytest.mark.parametrize("address", ["0x10", "0x0", "0x" + "f" * 40])
def test_dead(address: str, index: Index) -> None:
    with pytest.raises(OutliveError, match="is not in the snapshot: it was not alive when that was taken"):
        find.objects(index, address)


def test_names_from_the_program_steer_no_terminal(tmp_path: Path) -> None:
    heap = Heap()
    heap.add("a.Evil\x1b[2J")
    heap.add("b.Evil\x1b[2J")
    index = Index(Columns(heap.write(tmp_path / "x.heap")))
    with pytest.raises(UsageError, match="several types") as caught:
        find.objects(index, "Evil\x1b[2J")
    assert str(caught.value).isprintable()


class Hostile:
    """Counts whoever asks it anything."""

    asked = 0

    def __getattribute__(self, name: str) -> object:
        Hostile.asked += 1
        raise RuntimeError(name)

    def __eq__(self, other: object) -> bool:
        Hostile.asked += 1
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


def test_an_object_of_this_process_is_not_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(synthetic, "PID", os.getpid())
    thing = Hostile()
    heap = Heap()
    heap.add()
    heap.add("app.Hostile", address=id(thing))
    index = Index(Columns(heap.write(tmp_path / "x.heap")))
    assert find.objects(index, thing).tolist() == [1]
    assert Hostile.asked == 0
    for text in ("Hostile", True, 3.5):
        if text != "Hostile":
            with pytest.raises(OutliveError, match="the object is not in the snapshot"):
                find.objects(index, text)


def test_an_object_of_this_process_is_in_no_other_s_snapshot(index: Index) -> None:
    with pytest.raises(UsageError, match="that one is of process 4321"):
        find.objects(index, object())
