"""What keeps unusually much alive, on heaps in which it was planted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.heap import suspects
from outlive.heap.columns import Columns
from outlive.heap.index import Index
from outlive.model.heap_layout import Category
from tests.heap.synthetic import IMMORTAL, Heap

if TYPE_CHECKING:
    from pathlib import Path

    from outlive.model.heap import Suspect


def held(row: int) -> str:
    return f"to {row}"


def found(heap: Heap, folder: Path, share: float = 0.1) -> list[Suspect]:
    return suspects.suspects(Index(Columns(heap.write(folder / "x.heap"))), held, share)


def program(heap: Heap) -> None:
    """Add what every process has, the larger part of a small one: modules, functions, classes, constants."""
    for number in range(20):
        code = heap.code(f"f{number}", "a.py", 1)
        function = heap.add("function", size=160, named={"__code__": code})
        heap.refer(function, "__doc__", heap.text("x" * 200))
        members = heap.mapping({"method": heap.add("function", size=160)})
        kind = heap.add("type", size=1000, named={"__dict__": members})
        name = heap.text("interned", 80)
        heap.things[name].refcount = IMMORTAL
        heap.module(f"lib.m{number}", function=function, Class=kind, NAME=name)


def test_nothing_is_suspected_of_a_program_alone(tmp_path: Path) -> None:
    heap = Heap()
    program(heap)
    assert found(heap, tmp_path) == []


def test_one_cache_and_where_it_accumulates(tmp_path: Path) -> None:
    heap = Heap()
    program(heap)
    rows = heap.sequence(heap.add("app.Row", size=500) for _ in range(1000))
    export = heap.add("app.Export", named={"rows": rows})
    cache = heap.mapping({"u42": export, "u43": heap.add("app.Export")})
    heap.module("app.cache", CACHE=cache)
    (suspect,) = found(heap, tmp_path)
    assert (suspect.count, suspect.type, suspect.holder) == (1, "dict", f"to {cache}")
    assert suspect.accumulates_at == f"to {rows}"
    (content,) = suspect.content
    assert (content.name, content.count, content.retained_bytes) == ("app.Row", 1000, 500_000)
    assert suspect.retained_bytes > 508_000
    total = sum(thing.size for thing in heap.things)
    assert suspect.share == suspect.retained_bytes / total


def test_many_of_a_type_that_none_alone_holds(tmp_path: Path) -> None:
    heap = Heap()
    program(heap)
    orders = [heap.add("app.Order", size=500) for _ in range(1000)]
    first, second = heap.sequence(orders), heap.sequence(orders)
    heap.module("app.a", ORDERS=first)
    heap.module("app.b", ORDERS=second)
    (suspect,) = found(heap, tmp_path)
    assert (suspect.count, suspect.type, suspect.retained_bytes) == (1000, "app.Order", 500_000)
    assert suspect.accumulates_at in (f"to {first}", f"to {second}")
    assert suspect.holder in {f"to {order}" for order in orders}


def test_many_held_one_by_one_have_no_common_holder(tmp_path: Path) -> None:
    heap = Heap()
    for _ in range(100):
        heap.add("app.Buffer", size=1000, native=1)
    (suspect,) = found(heap, tmp_path)
    assert (suspect.count, suspect.type, suspect.accumulates_at) == (100, "app.Buffer", "")


def test_class_level_state(tmp_path: Path) -> None:
    heap = Heap()
    program(heap)
    items = heap.sequence(heap.add("app.Item", size=500) for _ in range(1000))
    registry = heap.add("type", size=1000, named={"__dict__": heap.mapping({"items": items})})
    heap.module("app.registry", Registry=registry)
    (suspect,) = found(heap, tmp_path)
    assert (suspect.holder, suspect.accumulates_at) == (f"to {registry}", f"to {items}")


def test_a_local_is_suspected_not_its_frame(tmp_path: Path) -> None:
    heap = Heap()
    program(heap)
    rows = heap.sequence(heap.add("app.Row", size=500) for _ in range(1000))
    frame = heap.frame(heap.code("export", "a.py", 1), 7, {"rows": rows}, address=0)
    heap.thread("MainThread", [frame])
    (suspect,) = found(heap, tmp_path)
    assert suspect.holder == f"to {rows}"


def test_a_linked_list_accumulates_at_its_head(tmp_path: Path) -> None:
    heap = Heap()
    link = heap.add("app.Link", size=100)
    for _ in range(20_000):
        link = heap.add("app.Link", size=100, named={"next": link})
    heap.module("app", HEAD=heap.sequence([link]))
    (suspect,) = found(heap, tmp_path)
    assert suspect.accumulates_at == f"to {link}"


def test_garbage_is_suspected_too(tmp_path: Path) -> None:
    heap = Heap()
    program(heap)
    for _ in range(300):
        first, second = heap.add("app.Parent", size=500), heap.add("app.Child", size=500)
        heap.append(first, second)
        heap.append(second, first)
    kinds = {suspect.type for suspect in found(heap, tmp_path)}
    assert kinds & {"app.Parent", "app.Child"}


def test_share_is_the_threshold(tmp_path: Path) -> None:
    heap = Heap()
    for size in (100, 200, 700):
        heap.add(f"app.C{size}", size=size, native=1)
    assert [suspect.share for suspect in found(heap, tmp_path, 0.2)] == [0.7, 0.2]


def test_modules_held_by_one_another_without_end(tmp_path: Path) -> None:
    heap = Heap()
    inner = heap.add("app.Row", size=10_000)
    for _ in range(200):
        inner = heap.add("module", named={"__dict__": heap.mapping({"x": inner})})
    heap.things[inner].native = 1
    assert len(found(heap, tmp_path)) == 1


def test_an_empty_heap(tmp_path: Path) -> None:
    heap = Heap()
    heap.type("module", Category.MODULE)
    assert found(heap, tmp_path) == []
