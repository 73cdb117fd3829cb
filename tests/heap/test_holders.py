"""Who holds many objects: ways alike counted as one, several ways each, best ways first, long ways cut."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from outlive.heap import holders as module
from outlive.heap.columns import Columns
from outlive.heap.filters import NOISE, Filter
from outlive.heap.find import objects
from outlive.heap.holders import Holders
from outlive.heap.index import Index
from outlive.model.heap import Holder
from outlive.model.heap_layout import ROWS, FrameState
from tests.heap.synthetic import Heap, encode

Why = Callable[..., list[Holder]]


@pytest.fixture
def why(tmp_path: Path) -> Why:
    def ask(
        heap: Heap,
        what: str | int = "Leaked",
        limit: int | None = 10,
        filters: tuple[Filter, ...] = NOISE,
    ) -> list[Holder]:
        columns = Columns(heap.write(tmp_path / "now.heap"))
        index = Index(columns)
        return Holders(columns, index).why(objects(index, what), limit, filters)

    return ask


def leaked(heap: Heap, size: int = 64) -> int:
    return heap.add("app.Leaked", size=size)


def test_keys_and_indices_are_not_told_apart(why: Why) -> None:
    heap = Heap()
    by_user = {
        f"u{number}": heap.add("app.Export", named={"rows": heap.sequence([leaked(heap), leaked(heap)])})
        for number in range(50)
    }
    heap.module("app.cache", CACHE=heap.mapping(by_user))
    (holder,) = why(heap)
    assert holder.text == "module app.cache → CACHE['u0', …] → Export.rows → list[2] → Leaked"
    assert (holder.count, holder.retained_bytes) == (100, 6400)


def test_lists_of_different_lengths_are_alike(why: Why) -> None:
    heap = Heap()
    rows = [heap.sequence(leaked(heap) for _ in range(length)) for length in (1, 2, 3)]
    heap.module("app", ROWS=heap.sequence(rows))
    (holder,) = why(heap)
    assert (holder.count, holder.text) == (6, "module app → ROWS → list[3] → list[…] → Leaked")


def test_names_are_told_apart(why: Why) -> None:
    heap = Heap()
    heap.module("app", A=leaked(heap), B=leaked(heap, 100), C=heap.add("app.X", named={"c": leaked(heap)}))
    found = why(heap)
    assert [(one.count, one.retained_bytes, one.text) for one in found] == [
        (1, 100, "module app → B → Leaked"),
        (1, 64, "module app → A → Leaked"),
        (1, 64, "module app → C → X.c → Leaked"),
    ]


def test_attributes_in_dicts_are_told_apart(why: Why) -> None:
    heap = Heap()
    things = [
        heap.add("app.X", named={"__dict__": heap.mapping({"a": leaked(heap), "b": leaked(heap)})})
        for _ in range(5)
    ]
    heap.module("app", ALL=heap.sequence(things))
    assert {(one.count, one.text) for one in why(heap)} == {
        (5, "module app → ALL → list[5] → X.a → Leaked"),
        (5, "module app → ALL → list[5] → X.b → Leaked"),
    }


def test_what_keeps_most_alive_comes_first(why: Why) -> None:
    heap = Heap()
    small = heap.sequence(leaked(heap) for _ in range(9))
    blob = heap.add("bytes", size=1 << 20)
    heap.module("app", SMALL=small, LARGE=heap.add("app.Leaked", named={"blob": blob}))
    first, second = why(heap)
    assert first.text == "module app → LARGE → Leaked"
    assert (first.count, first.retained_bytes) == (1, 48 + (1 << 20))
    assert (second.count, second.retained_bytes) == (9, 9 * 64)
    assert why(heap, limit=1) == [first]


def test_every_holder_of_one_object(why: Why) -> None:
    heap = Heap()
    thing = leaked(heap)
    code = heap.code("f", "f.py", 1)
    frame = heap.frame(code, 2, {"row": thing}, state=FrameState.RUNNING, address=0)
    heap.thread("MainThread", [frame])
    heap.module("app", ONE=heap.sequence([thing]), TWO=heap.add("set", rest=[thing]))
    assert [one.text for one in why(heap)] == [
        "thread MainThread → frame f() at f.py:2 → local row → Leaked",
        "module app → ONE → list[0 of 1] → Leaked",
        "module app → TWO → set[1] → Leaked",
    ]


def test_every_holder_of_what_holds_it(why: Why) -> None:
    heap = Heap()
    rows = heap.sequence(leaked(heap) for _ in range(10))
    heap.module("app.a", ROWS=rows)
    heap.module("app.b", EXPORT=heap.add("app.Export", named={"rows": rows}))
    assert [(one.count, one.text) for one in why(heap)] == [
        (10, "module app.a → ROWS → list[10] → Leaked"),
        (10, "module app.b → EXPORT → Export.rows → list[10] → Leaked"),
    ]


def test_what_some_are_held_by_too_counts_those(why: Why) -> None:
    heap = Heap()
    things = [leaked(heap) for _ in range(20)]
    heap.module("app", ALL=heap.sequence(things), SOME=heap.mapping({"a": heap.add("set", rest=things[:5])}))
    assert [(one.count, one.text) for one in why(heap)] == [
        (20, "module app → ALL → list[20] → Leaked"),
        (5, "module app → SOME['a'] → set[5] → Leaked"),
    ]


def test_a_way_back_through_the_object_is_none(why: Why) -> None:
    heap = Heap()
    parent, child = leaked(heap), heap.add("app.Child")
    heap.refer(parent, "child", child)
    heap.refer(child, "parent", parent)
    heap.module("app", PARENT=parent)
    assert [one.text for one in why(heap)] == ["module app → PARENT → Leaked"]


def test_modules_are_where_ways_begin(why: Why) -> None:
    heap = Heap()
    variables = heap.mapping({"THING": heap.add("app.X", named={"a": heap.sequence([leaked(heap)])})})
    inner = heap.add("module", named={"__dict__": variables}, text="app.inner")
    heap.module("app", inner=inner)
    heap.put(heap.modules or 0, "app.inner", inner)
    assert why(heap)[0].text == "module app.inner → THING → X.a → list[0 of 1] → Leaked"


def test_a_module_that_is_not_in_sys_modules_is_not(why: Why) -> None:
    heap = Heap()
    inner = heap.add("module", named={"__dict__": heap.mapping({"X": leaked(heap)})}, text="gone")
    heap.module("app", KEPT=inner)
    assert why(heap)[0].text == "module app → KEPT → module gone → X → Leaked"


def test_containers_that_take_turns_are_counted_each_for_its_holder(why: Why) -> None:
    """Alike containers in one place each, in turn in memory, of different sizes: no guess gets them right."""
    heap = Heap()
    some, others, further = [], [], []
    for _ in range(700):
        some.append(heap.sequence([leaked(heap), leaked(heap), leaked(heap)]))
        others.append(heap.sequence([leaked(heap)]))
        further.append(heap.mapping({"rows": heap.sequence([leaked(heap)])}))
    heap.module("app", SOME=heap.sequence(some))
    heap.module("other", SOME=heap.sequence(others))
    heap.module("third", SOME=heap.sequence(further))
    assert [(one.count, one.text) for one in why(heap)] == [
        (2100, "module app → SOME → list[700] → list[3] → Leaked"),
        (700, "module other → SOME → list[700] → list[0 of 1] → Leaked"),
        (700, "module third → SOME → list[700] → dict['rows'] → list[0 of 1] → Leaked"),
    ]


def test_more_ways_than_can_be_followed_are_estimated(why: Why, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FOLLOWED_MAX", 3)
    heap = Heap()
    for number in range(6):
        boxes = [heap.add(f"app.Box{number}", named={"row": leaked(heap)}) for _ in range(10 * number + 10)]
        heap.module(f"app{number}", BOXES=heap.sequence(boxes))
    found = why(heap)
    assert sum(one.count for one in found) == 210
    assert all("(estimated: 3 of 210 followed)" in one.text for one in found)
    assert {number for number in range(6) for one in found if f"Box{number}" in one.text} == {3, 4, 5}


# -- long ways


def chain(heap: Heap, length: int, *, in_dicts: bool = False) -> list[int]:
    nodes = [heap.add("app.Node", size=32) for _ in range(length)]
    for one, after in pairwise(nodes):
        if in_dicts:
            heap.refer(one, "__dict__", heap.mapping({"next": after}))
        else:
            heap.refer(one, "next", after)
    heap.module("app", HEAD=nodes[0])
    return nodes


@pytest.mark.parametrize("in_dicts", [False, True])
@pytest.mark.parametrize(
    ("depth", "said"),
    [
        (1, "Node.next → Leaked"),
        (3, "Node.next → Node.next → Node.next → Leaked"),
        (20, "Node.next → … 18 × .next … → Node.next → Leaked"),
        (200, "Node.next → … 198 × .next … → Node.next → Leaked"),
    ],
)
def test_what_repeats_is_said_once(why: Why, depth: int, said: str, *, in_dicts: bool) -> None:
    heap = Heap()
    last = chain(heap, depth, in_dicts=in_dicts)[-1]
    if in_dicts:
        heap.refer(last, "__dict__", heap.mapping({"next": leaked(heap)}))
    else:
        heap.refer(last, "next", leaked(heap))
    (holder,) = why(heap)
    assert holder.text == f"module app → HEAD → {said}"


def test_two_that_take_turns_repeat_too(why: Why) -> None:
    heap = Heap()
    things = [heap.add(name) for _ in range(150) for name in ("app.A", "app.B")]
    for number, (one, after) in enumerate(pairwise(things)):
        heap.refer(one, "ab"[number % 2], after)
    heap.refer(things[-1], "b", leaked(heap))
    heap.module("app", FIRST=things[0])
    (holder,) = why(heap)
    assert holder.text == "module app → FIRST → A.a → B.b → … 148 × (A.a → B.b) … → A.a → B.b → Leaked"


def test_a_long_way_on_which_nothing_repeats(why: Why) -> None:
    heap = Heap()
    things = [heap.add(f"app.T{number}") for number in range(200)]
    for number, (one, after) in enumerate(pairwise(things)):
        heap.refer(one, f"n{number}", after)
    heap.refer(things[-1], "last", leaked(heap))
    heap.module("app", FIRST=things[0])
    (holder,) = why(heap)
    assert holder.text.startswith("module app → FIRST → T0.n0 → T1.n1 → ")
    assert " more … → " in holder.text
    assert holder.text.endswith(" → T198.n198 → T199.last → Leaked")
    assert len(holder.path) < 120


def test_the_nodes_of_a_list_are_alike(why: Why) -> None:
    heap = Heap()
    chain(heap, 50)
    assert {(one.count, one.text) for one in why(heap, "Node")} == {
        (1, "module app → HEAD → Node"),
        (49, "module app → HEAD → Node.next → … up to 47 × .next … → Node.next → Node"),
    }


def million_links(path: Path) -> Path:
    """A list of a million nodes, the third of which is the last one."""
    heap = Heap()
    nodes = chain(heap, 3)
    rows = {name: np.frombuffer(section, ROWS[name]) for name, section in heap.sections().items()}
    count = len(rows["shape"])
    more = np.arange(count, count + 999_997, dtype=np.uint32)
    edges = np.concatenate((rows["edges"], more[1:], nodes[2:])).astype(np.uint32)
    edges[rows["first"][nodes[1]]] = more[0]
    rows["edges"] = edges
    rows["first"] = np.concatenate((rows["first"], rows["first"][-1] + 1 + np.arange(len(more)))).astype(
        "<u4"
    )
    for name in ("address", "size", "shape", "refcount"):
        rows[name] = np.concatenate((rows[name], np.full(len(more), rows[name][nodes[0]])))
    sections = {name: array.tobytes() for name, array in rows.items()}
    path.write_bytes(encode(sections, objects=count + len(more), edges=len(edges)))
    return path


def test_a_million_links(tmp_path: Path) -> None:
    columns = Columns(million_links(tmp_path / "long.heap"))
    index = Index(columns)
    holders = Holders(columns, index)
    (holder,) = holders.why(objects(index, 2))
    assert holder.text == "module app → HEAD → Node.next → … 999,997 × .next … → Node.next → Node"
    first, others = holders.why(objects(index, "Node"))
    assert first.count + others.count == 1_000_000
    assert first.count < 10
    assert others.text == "module app → HEAD → Node.next → … up to 999,996 × .next … → Node.next → Node"
    assert 32 * others.count <= others.retained_bytes <= 32_000_000


# -- noise


def test_ways_around_noise_are_taken_though_longer(why: Why) -> None:
    heap = Heap()
    thing = leaked(heap)
    weak = heap.add("app.Weak", named={"__class__": thing})
    rows = heap.add("app.Export", named={"rows": heap.sequence([thing])})
    heap.module("app", WEAK=weak, EXPORTS=heap.mapping({"u42": rows}))
    assert [one.text for one in why(heap)] == [
        "module app → EXPORTS['u42'] → Export.rows → list[0 of 1] → Leaked"
    ]
    assert why(heap, filters=())[0].text == "module app → WEAK → Weak.__class__ → Leaked"


def test_what_only_noise_holds_is_said_so(why: Why) -> None:
    heap = Heap()
    inner = heap.add("app.Inner", named={"row": leaked(heap)})
    weak = heap.add("app.Weak", named={"__class__": heap.add("app.Weak", named={"__class__": inner})})
    heap.module("app", WEAK=weak)
    said = "module app → WEAK → Weak.__class__ → Weak.__class__ → Inner.row → Leaked"
    assert [one.text for one in why(heap)] == [said]


def test_deep_in_noise(why: Why) -> None:
    heap = Heap()
    thing = leaked(heap)
    for _ in range(40):
        thing = heap.add("app.Weak", named={"__class__": thing})
    heap.module("app", WEAK=thing)
    said = "module app → WEAK → Weak.__class__ → … 38 × .__class__ … → Weak.__class__ → Leaked"
    assert [one.text for one in why(heap)] == [said]


def noisy(heap: Heap, thing: int) -> None:
    """Hold `thing` by each kind of noise, and by a long way that is none."""
    heap.module("linecache", cache=thing)
    heap.module("app", __spec__=thing, LOG=heap.add("noise.Log", named={"row": thing}))
    frame = heap.frame(heap.code("why", "/x/outlive/heap/snapshot.py", 1), 2, {"what": thing})
    heap.thread("MainThread", [frame])
    rows = heap.sequence([heap.sequence([heap.sequence([thing])])])
    heap.module("real", ROWS=rows)


LOG = Filter("log", "the log", types=("noise.*",))
REAL = "module real → ROWS → list[0 of 1] → list[0 of 1] → list[0 of 1] → Leaked"


def test_every_kind_of_filter(why: Why) -> None:
    heap = Heap()
    noisy(heap, leaked(heap))
    assert [one.text for one in why(heap, filters=(*NOISE, LOG))] == [REAL]


@pytest.mark.parametrize(
    ("left_out", "said"),
    [
        ("linecache", "module linecache → cache → Leaked"),
        ("imports", "module app → __spec__ → Leaked"),
        ("log", "module app → LOG → Log.row → Leaked"),
        (
            "outlive",
            "thread MainThread → frame why() at /x/outlive/heap/snapshot.py:2 → local what → Leaked",
        ),
    ],
)
def test_filters_can_be_left_out(why: Why, left_out: str, said: str) -> None:
    heap = Heap()
    noisy(heap, leaked(heap))
    filters = tuple(one for one in (*NOISE, LOG) if one.name != left_out)
    assert {one.text for one in why(heap, filters=filters)} == {REAL, said}
