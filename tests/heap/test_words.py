"""Holder paths in words: a golden text for each kind of object and reference."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outlive.heap.columns import Columns
from outlive.heap.find import objects
from outlive.heap.holders import Holders
from outlive.heap.index import Index
from outlive.model.heap import Holder
from outlive.model.heap_layout import Category, FrameState, Rest, RootKind
from tests.heap.synthetic import Heap

WORKER = "coroutine worker() at app/jobs.py:12, suspended"
FILE = "/srv/lib/python3.12/app/jobs.py"  # said without what leads to the library


@pytest.fixture
def why(tmp_path: Path) -> Callable[..., list[Holder]]:
    def ask(heap: Heap, what: str | int = "Leaked") -> list[Holder]:
        columns = Columns(heap.write(tmp_path / "now.heap"))
        index = Index(columns)
        return Holders(columns, index).why(objects(index, what))

    return ask


Why = Callable[..., list[Holder]]


def leaked(heap: Heap) -> int:
    return heap.add("app.Leaked", size=64)


def function(heap: Heap, name: str, **named: int) -> int:
    names = {"__code__": heap.code(name, FILE, 3), "__module__": heap.text("app.jobs")} | named
    return heap.add("function", named=names)


def cell(heap: Heap, content: int) -> int:
    return heap.add("cell", named={"cell_contents": content})


def held_by_module(heap: Heap, thing: int) -> Heap:
    heap.module("app", KEPT=thing)
    return heap


def test_the_example(why: Why) -> None:
    heap = Heap()
    rows = heap.sequence(heap.add("app.UserActivity", size=72) for _ in range(100))
    heap.module("app.cache", CACHE=heap.mapping({"u42": heap.add("app.Export", named={"rows": rows})}))
    (holder,) = why(heap, "UserActivity")
    assert holder.text == "module app.cache → CACHE['u42'] → Export.rows → list[100] → UserActivity"
    assert holder.path == (
        "module app.cache",
        "CACHE",
        "['u42']",
        "Export",
        ".rows",
        "list[100]",
        "UserActivity",
    )
    assert (holder.root.kind, holder.root.name) == ("module", "app.cache")
    assert (holder.count, holder.retained_bytes) == (100, 7200)


def of_list(heap: Heap, thing: int) -> int:
    return heap.sequence([leaked(heap), thing, leaked(heap)])


def of_dict_in_list(heap: Heap, thing: int) -> int:
    return heap.sequence([heap.mapping({"u42": thing})])


def number_as_key(heap: Heap, thing: int) -> int:
    return heap.add("dict", rest=[heap.add("int", text="42"), thing])


def bytes_as_key(heap: Heap, thing: int) -> int:
    return heap.add("dict", rest=[heap.add("bytes", text="u42"), thing])


def object_as_key(heap: Heap, thing: int) -> int:
    return heap.add("dict", rest=[heap.add("app.UserId"), thing])


def key(heap: Heap, thing: int) -> int:
    return heap.add("dict", rest=[thing, heap.text("value")])


def member(heap: Heap, thing: int) -> int:
    return heap.add("set", rest=[thing])


def ordered(heap: Heap, thing: int) -> int:
    heap.type("collections.OrderedDict", Category.DICT)
    return heap.add("collections.OrderedDict", rest=[heap.text("u42"), thing])


def queued(heap: Heap, thing: int) -> int:
    return heap.add("collections.deque", rest=[thing, thing], meaning=Rest.SEQUENCE)


def in_dict_of_instance(heap: Heap, thing: int) -> int:
    return heap.add("app.Export", named={"__dict__": heap.mapping({"rows": thing})})


def in_slot(heap: Heap, thing: int) -> int:
    return heap.add("app.Export", named={"rows": thing})


def without_a_name(heap: Heap, thing: int) -> int:
    return heap.add("app.Native", rest=[thing])


def of_class(heap: Heap, thing: int) -> int:
    row = heap.add("type", named={"__dict__": heap.mapping({"instances": thing})})
    heap.type("app.models.Registry", object=row)
    return row


def closure(heap: Heap, thing: int) -> int:
    cells = heap.add("tuple", named={"rows": cell(heap, thing)})
    return function(heap, "make", __closure__=cells)


def closure_by_code(heap: Heap, thing: int) -> int:
    cells = heap.sequence([cell(heap, leaked(heap)), cell(heap, thing)], "tuple")
    row = function(heap, "make", __closure__=cells)
    names = heap.sequence([heap.text("self"), heap.text("other"), heap.text("rows")], "tuple")
    heap.refer(heap.things[row].named[0][1], "co_localsplusnames", names)
    return row


def closure_unknown(heap: Heap, thing: int) -> int:
    return function(heap, "make", __closure__=heap.sequence([cell(heap, thing)], "tuple"))


def default(heap: Heap, thing: int) -> int:
    return function(heap, "make", __defaults__=heap.sequence([thing], "tuple"))


def bound(heap: Heap, thing: int) -> int:
    named = {"__func__": function(heap, "Widget.on_event"), "__self__": in_slot(heap, thing)}
    return heap.add("method", named=named)


def built_in(heap: Heap, thing: int) -> int:
    return heap.add("builtin_function_or_method", named={"__self__": of_list(heap, thing)}, text="append")


def partial(heap: Heap, thing: int) -> int:
    heap.type("functools.partial")
    named = {"func": function(heap, "flush"), "keywords": heap.mapping({"rows": thing})}
    return heap.add("functools.partial", named=named)


def cached(heap: Heap, thing: int, **entry: int) -> int:
    cache = heap.mapping({"u42": heap.add("functools._lru_list_elem", named=entry or {"result": thing})})
    return heap.add("functools._lru_cache_wrapper", rest=[cache, function(heap, "load")])


def cached_key(heap: Heap, thing: int) -> int:
    link = heap.add("functools._lru_list_elem", named={"key": thing})
    cache = heap.add("dict", rest=[thing, link])
    return heap.add("functools._lru_cache_wrapper", rest=[function(heap, "load"), cache])


def callback(heap: Heap, thing: int) -> int:
    return heap.add("weakref.ReferenceType", named={"__callback__": default(heap, thing)})


def coroutine(heap: Heap, thing: int, **more: int) -> int:
    return heap.frame(heap.code("worker", FILE, 10), 12, {"rows": thing} | more, type="coroutine")


def generator(heap: Heap, thing: int) -> int:
    code = heap.code("stream", FILE, 20)
    return heap.frame(code, 0, {"rows": cell(heap, thing)}, type="generator", state=FrameState.CREATED)


def async_generator(heap: Heap, thing: int) -> int:
    return heap.frame(heap.code("pages", FILE, 20), 21, {"rows": thing}, type="async_generator")


def awaiting(heap: Heap, thing: int) -> int:
    code = heap.code("outer", FILE, 30)
    return heap.frame(code, 31, type="coroutine", stack=[coroutine(heap, thing)])


def task_done(heap: Heap, thing: int) -> int:
    return heap.add("_asyncio.Task", rest=[thing], text="Task-7")


def failed(heap: Heap, thing: int) -> int:
    frame = heap.frame(heap.code("f", FILE, 40), 41, {"big": thing}, state=FrameState.FINISHED)
    last = heap.add("traceback", named={"tb_frame": frame})
    heap.type("ValueError", Category.EXCEPTION)
    return heap.add("ValueError", named={"__traceback__": heap.add("traceback", named={"tb_next": last})})


def failed_then_again(heap: Heap, thing: int) -> int:
    heap.type("KeyError", Category.EXCEPTION)
    return heap.add("KeyError", named={"__context__": failed(heap, thing)})


def kept_traceback(heap: Heap, thing: int) -> int:
    return heap.things[failed(heap, thing)].named[0][1]


def context(heap: Heap, thing: int) -> int:
    variable = heap.add("_contextvars.ContextVar", text="user")
    node = heap.add("hamt_bitmap_node", rest=[variable, thing], meaning=Rest.MAPPING)
    return heap.add("_contextvars.Context", named={"values": heap.add("hamt", rest=[node])})


def thread_local(heap: Heap, thing: int) -> int:
    dicts = heap.add("dict", rest=[heap.add("weakref.ReferenceType"), heap.mapping({"session": thing})])
    return heap.add("_thread._local", rest=[dicts])


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        (of_dict_in_list, "list[0 of 1] → dict['u42']"),
        (number_as_key, "[42]"),
        (bytes_as_key, "[b'u42']"),
        (object_as_key, "[UserId]"),
        (key, " → key of dict[1]"),
        (member, " → set[1]"),
        (ordered, " → OrderedDict['u42']"),
        (queued, " → deque[0 of 2]"),
        (in_dict_of_instance, " → Export.rows"),
        (in_slot, " → Export.rows"),
        (without_a_name, " → Native"),
        (of_class, " → class app.models.Registry → instances"),
        (closure, " → function app.jobs.make → closure rows"),
        (closure_unknown, " → function app.jobs.make → closure cell"),
        (default, " → function app.jobs.make.__defaults__ → tuple[0 of 1]"),
        (bound, " → bound method Widget.on_event of Export.rows"),
        (partial, " → partial of app.jobs.flush → keywords['rows']"),
        (cached, " → lru_cache of app.jobs.load → cached value"),
        (cached_key, " → lru_cache of app.jobs.load → cached key"),
        (
            callback,
            " → weak reference → callback → function app.jobs.make.__defaults__ → tuple[0 of 1]",
        ),
        (generator, " → generator stream() at app/jobs.py:20, not started → local rows"),
        (coroutine, f" → {WORKER} → local rows"),
        (async_generator, " → async generator pages() at app/jobs.py:21, suspended → local rows"),
        (
            awaiting,
            f" → coroutine outer() at app/jobs.py:31, suspended → awaiting {WORKER} → local rows",
        ),
        (task_done, ' → task "Task-7".result'),
        (failed, " → ValueError.__traceback__ → frame f() at app/jobs.py:41 → local big"),
        (
            failed_then_again,
            " → KeyError.__context__ → ValueError.__traceback__ → frame f() at app/jobs.py:41 → local big",
        ),
        (kept_traceback, " → traceback → frame f() at app/jobs.py:41 → local big"),
        (context, " → Context → context variable user"),
        (thread_local, " → _local.session"),
    ],
)
def test_kinds_of_references(why: Why, hold: Callable[[Heap, int], int], said: str) -> None:
    heap = Heap()
    heap.type("functools._lru_cache_wrapper")
    heap.type("functools._lru_list_elem")
    thing = leaked(heap)
    held_by_module(heap, hold(heap, thing))
    said = said if said[0] in " [" else f" → {said}"
    assert why(heap, thing)[0].text == f"module app → KEPT{said} → Leaked"


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        (of_list, "list[1 of 3]"),
        (built_in, "built-in method append of list[1 of 3]"),
        (closure_by_code, "function app.jobs.make → closure rows"),
    ],
)
def test_one_of_several(why: Why, hold: Callable[[Heap, int], int], said: str) -> None:
    heap = Heap()
    thing = leaked(heap)
    held_by_module(heap, hold(heap, thing))
    assert why(heap, thing)[0].text == f"module app → KEPT → {said} → Leaked"


def test_a_name_is_not_said_twice(why: Why) -> None:
    heap = Heap()
    thing = leaked(heap)
    heap.module("app.jobs", make=default(heap, thing))
    said = "module app.jobs → function app.jobs.make.__defaults__ → tuple[0 of 1] → Leaked"
    assert why(heap)[0].text == said


def test_a_running_frame(why: Why) -> None:
    heap = Heap()
    code = heap.code("handler", FILE, 50)
    frame = heap.frame(code, 51, {"rows": heap.sequence([leaked(heap)])}, state=FrameState.RUNNING, address=0)
    heap.thread("MainThread", [frame])
    (holder,) = why(heap)
    where = "frame handler() at app/jobs.py:51"
    assert holder.text == f"thread MainThread → {where} → local rows → list[0 of 1] → Leaked"
    assert (holder.root.kind, holder.root.name) == ("thread", "MainThread")


def test_what_is_only_on_a_stack(why: Why) -> None:
    heap = Heap()
    heap.add("app.Leaked", root=(RootKind.STACK, "handler"))
    (holder,) = why(heap)
    assert holder.text == "stack of handler() → Leaked"
    assert (holder.root.kind, holder.root.name) == ("thread", "handler()")


def test_a_task_that_runs_is_where_a_way_begins(why: Why) -> None:
    heap = Heap()
    work = coroutine(heap, leaked(heap))
    held_by_module(heap, heap.add("set", rest=[heap.add("_asyncio.Task", rest=[work], text="poller")]))
    at_once, with_its_holder = why(heap)
    said = 'task "poller" → coroutine worker() at app/jobs.py:12, suspended → local rows → Leaked'
    assert at_once.text == said
    assert (at_once.root.kind, at_once.root.name) == ("task", "poller")
    assert with_its_holder.text == f"module app → KEPT → set[1] → {said}"


def test_roots_of_the_interpreter(why: Why) -> None:
    heap = Heap()
    heap.add("dict", rest=[heap.text("x"), leaked(heap)], root=(RootKind.INTERPRETER, "atexit"))
    (holder,) = why(heap)
    assert holder.text == "interpreter atexit['x'] → Leaked"
    assert (holder.root.kind, holder.root.name) == ("interpreter", "atexit")


def test_native_references(why: Why) -> None:
    heap = Heap()
    thing = heap.add("app.Leaked", native=2)
    held_by_module(heap, heap.add("app.Weak", named={"__class__": thing}))
    (holder,) = why(heap)
    assert holder.text == "native reference (refcount 3, 1 known) → Leaked"
    assert (holder.root.kind, holder.root.name) == ("native reference", "Leaked")


def test_immortals(why: Why) -> None:
    heap = Heap()
    heap.add("tuple", rest=[leaked(heap)], refcount=(1 << 32) - 1)
    (holder,) = why(heap)
    assert holder.text == "immortal → tuple[0 of 1] → Leaked"
    assert holder.root.kind == "immortal"


def test_garbage_names_its_cycle(why: Why) -> None:
    heap = Heap()
    one, other, thing = heap.add("app.A"), heap.add("app.B"), leaked(heap)
    heap.refer(one, "b", other)
    heap.refer(other, "a", one)
    heap.refer(one, "rows", heap.sequence([thing]))
    assert why(heap, "A")[0].text == "nothing but a cycle: A.b → B.a → A"
    (holder,) = why(heap)
    assert holder.text == "nothing but a cycle: A.b → B.a → A.rows → list[0 of 1] → Leaked"
    assert holder.root.kind == "garbage"


def test_an_object_that_holds_itself(why: Why) -> None:
    heap = Heap()
    alone, held = heap.add("app.Alone"), leaked(heap)
    for thing in (alone, held):
        heap.refer(thing, "me", thing)
    held_by_module(heap, held)
    assert why(heap, "Alone")[0].text == "nothing but a cycle: Alone.me → Alone"
    assert [holder.text for holder in why(heap)] == ["module app → KEPT → Leaked"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("app.Bad\nName\x1b[31m", r"Bad\nName\x1b[31m"),
        ("app.\u202eslam", r"\u202eslam"),
        ("app.", "app."),
        ("app." + "x" * 10_000, "x" * 52 + "…" + "x" * 27),
    ],
)
def test_hostile_names(why: Why, name: str, said: str) -> None:
    heap = Heap()
    thing = heap.add(name)
    heap.module("evil\x07", **{"a\nb": heap.mapping({"\x1b]0;x\x07": thing})})
    (holder,) = why(heap, thing)
    assert holder.text == rf"module evil\x07 → a\nb['\x1b]0;x\x07'] → {said}"
    assert all(word.isprintable() for word in (*holder.path, holder.root.name))


def test_a_class_without_instances_is_named_by_its_own_strings(why: Why) -> None:
    heap = Heap()
    base = heap.add("type", named={"__qualname__": heap.text("Base"), "rows": leaked(heap)})
    heap.module("app", Base=base)
    (holder,) = why(heap)
    assert holder.text == "module app → class Base.rows → Leaked"
