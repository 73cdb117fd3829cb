"""What rules share: when nothing may be claimed, which verdict each is of, and limits in source code."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from outlive.model.heap import Holder, Root
from outlive.model.recording import Frame
from outlive.rules import ALL, BY_NUMBER, Evidence, match
from outlive.rules.steps import called, is_one_for_all, length

if TYPE_CHECKING:
    from outlive.model.finding import Verdict

NOTHING = Evidence("export", 100, ())


def held(*path: str, count: int = 100, kind: str = "module") -> Holder:
    name = path[0].partition(" ")[2].strip('"')
    return Holder(count, 1000 * count, Root(kind, name), path, " → ".join(path))


def shown(*holders: Holder, types: tuple[str, ...] = (), file: Path | None = None) -> Evidence:
    frames = (Frame("work", str(file), 1),) if file else ()
    return Evidence("export", 100, frames, types, holders, ("as it was",) * len(frames))


def rule_of(evidence: Evidence, verdict: Verdict = "leak") -> str:
    found = match(evidence, verdict)
    return found.rule.number if found else ""


def test_without_a_heap_nothing_is_claimed() -> None:
    assert match(NOTHING) is None


def test_numbers_are_unique_and_all_are_there() -> None:
    assert [*BY_NUMBER] == [
        *(f"L{number:02}" for number in range(1, 26)),
        *(f"B{number:02}" for number in range(1, 5)),
    ]
    assert len(BY_NUMBER) == len(ALL)


@pytest.mark.parametrize(
    ("verdict", "number"),
    [
        ("peak bloat", "L01"),
        ("cycle garbage", "L06"),
        ("allocator retention", "L24"),
        ("native growth", "L25"),
        ("steady", ""),
        ("not enough data", ""),
    ],
)
def test_other_verdicts_have_their_rule(verdict: Verdict, number: str) -> None:
    assert rule_of(NOTHING, verdict) == number
    assert rule_of(shown(held("module app", "CACHE", "['u1', …]", "bytes")), verdict) == number


@pytest.mark.parametrize(
    "path",
    [
        ("module app", "SESSIONS", "['u1', …]", "Session", ".user", "User"),  # not SQLAlchemy's
        ("module app", "SESSIONS", "['u1', …]", "Session", ".rows", "list[100]"),
        ("module app", "STATE", "Counter", ".values", "list[100]", "int"),  # no metric
        ("module app", "FIGS", "class app.Board", "figs", "Figure"),
    ],
)
def test_names_alone_are_no_sign(path: tuple[str, ...]) -> None:
    assert rule_of(shown(held(*path))) in ("", "L04")


@pytest.mark.parametrize(
    "path",
    [
        ("module re", "_cache", "[tuple]", "Pattern"),  # the standard library's have limits
        ("module app", "BOX", "Box", ".rows", "tuple[100]", "Row"),  # no container that grows
        ("module app", "ALIVE", "WeakValueDictionary", ".data", "['u1', …]", "KeyedRef"),
        ("module app", "RECENT", "deque[100]", "Row"),  # may have a maxlen
        ("module app", "JOBS", "Queue", ".queue", "deque[100]", "Row"),  # may have a maxsize
        ("thread MainThread", "frame main() at app.py:3", "local text", "Row"),
    ],
)
def test_what_is_not_certain_is_not_claimed(path: tuple[str, ...]) -> None:
    assert rule_of(shown(held(*path, kind="thread" if path[0].startswith("thread") else "module"))) == ""


def test_a_way_that_holds_few_is_another_matter() -> None:
    main = held("module app", "CACHE", "['u1', …]", "Row", count=1000)
    other = held("module sys", "last_value", "ValueError", ".rows", "Row", count=3)
    assert rule_of(shown(main, other)) == "L04"
    assert rule_of(shown(main, dataclasses.replace(other, count=1000))) == "L22"


@pytest.mark.parametrize(
    ("made", "number"),
    [
        ("RECENT = deque()", "L11"),
        ("RECENT = deque([], None)", "L11"),
        ("RECENT: deque[int] = deque(maxlen=None)", "L11"),
        ("RECENT = deque(maxlen=50)", "B02"),
        ("RECENT = collections.deque([], LIMIT)", ""),
        ("OTHER = deque()", "L11"),
        ("OTHER = deque()\nTHIRD = deque(maxlen=5)", ""),
        ("OTHER = deque()\nRECENT = deque(maxlen=5)", "B02"),
        ("RECENT = make()", ""),
        ("RECENT = deque(", ""),
    ],
)
def test_a_deque_s_limit_is_read_from_the_source(made: str, number: str, tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text(made)
    assert rule_of(shown(held("module app", "RECENT", "deque[100]", "Row"), file=file)) == number


@pytest.mark.parametrize(
    ("made", "number"),
    [
        ("JOBS = Queue()", "L11"),
        ("JOBS = queue.Queue(maxsize=0)", "L11"),
        ("JOBS = asyncio.Queue[int](100)", "B02"),
    ],
)
def test_a_queue_s_limit_is_read_from_the_root_module_s_file(made: str, number: str, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "queues.py").write_text(made)
    handler = tmp_path / "app" / "handlers.py"
    handler.write_text("")
    way = held("module app.queues", "JOBS", "Queue", "._queue", "deque[100]", "Row")
    assert rule_of(shown(way, file=handler)) == number
    assert rule_of(shown(way, file=Path("/nowhere/x.py"))) == ""


def test_source_that_changed_since_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("RECENT = deque()")
    evidence = shown(held("module app", "RECENT", "deque[100]", "Row"), file=file)
    assert rule_of(evidence) == "L11"
    assert rule_of(dataclasses.replace(evidence, sources=("",))) == ""


def test_a_cachetools_cache_without_end_is_none_with_a_limit(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    way = held("module app", "CACHE", "LRUCache", "._Cache__data", "['u1', …]", "Row")
    file.write_text("CACHE = LRUCache(maxsize=math.inf)")
    assert rule_of(shown(way, file=file)) == "L04"
    assert rule_of(shown(way)) == "B04"


def test_one_pool_has_a_limit_and_many_pools_have_none() -> None:
    pool = ("Engine", ".pool", "QueuePool", "._pool", "Queue", "._queue", "deque[5]", "_ConnectionRecord")
    assert rule_of(shown(held("module app", "ENGINE", *pool))) == "B03"
    assert rule_of(shown(held("module app", "ENGINES", "list[100]", *pool))) != "B03"


@pytest.mark.parametrize(
    ("number", "path"),
    [
        ("B01", ("limited lru_cache of app.load", "cached value", "Row")),
        ("B02", ("JobQueue", ".queue", "Queue", "._queue", "deque[100]", "Row")),
        ("B04", ("Engine", "._compiled_cache", "LRUCache", "._data", "[tuple]", "SQLiteCompiler")),
        ("B04", ("LRUCache", "._Cache__data", "['u1', …]", "Row")),
    ],
)
def test_what_has_a_limit_has_none_where_each_run_makes_one(
    tmp_path: Path, number: str, path: tuple[str, ...]
) -> None:
    file = tmp_path / "app.py"
    file.write_text("self.queue = Queue(maxsize=100)")
    names = ("['main']", "['app.services.catalogue.p…ct_details_by_id']", '["it\'s"]', "[0]", "list[0 of 2]")
    for one in (("KEPT",), *(("KEPT", name) for name in names)):
        assert rule_of(shown(held("module app", *one, *path), file=file)) == number
    for many in (("KEPT", "list[100]"), ("KEPT", "deque[9]"), ("KEPT", "['a', …]"), ("KEPT", "[17, …]")):
        assert rule_of(shown(held("module app", *many, *path), file=file)) not in {number, "L11"}
    alone = held("module app", "KEPT", "['main']", *path, count=1)  # nobody knows of what others are under
    assert rule_of(shown(alone, file=file)) != number


def test_many_queues_without_a_limit_have_none(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("self.queue = Queue()")
    queue = ("Room", ".queue", "Queue", "._queue", "deque[100]", "Message")
    assert rule_of(shown(held("module app", "ROOMS", "['a', …]", *queue), file=file)) == "L11"


@pytest.mark.parametrize(
    ("path", "count", "one"),
    [
        (('task "poll", …', "coroutine", "local rows", "list[100]"), 100, False),  # many tasks
        (('task "poll"', "coroutine", "local rows", "list[100]"), 100, True),
        (('task "poll"', "coroutine", "local rows", "list[3]"), 300, False),
        (('task "poll"', "coroutine", "local row"), 300, False),
    ],
)
def test_one_holder_is_told_from_many(path: tuple[str, ...], count: int, *, one: bool) -> None:
    assert is_one_for_all(held(*path, count=count), 100, 2) is one


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("module app.jobs", "SERVICE", "Service", ".cache"), "SERVICE.cache in app.jobs"),
        (("module app", "class app.Registry", "instances"), "Registry.instances in app"),
        (("module app", "Plugin", "class ?", "registry"), "Plugin.registry in app"),
        (("module app", "function app.handle", ".seen"), "handle.seen in app"),
        (("thread MainThread", "frame main() at app.py:3", "local kept"), "kept in main()"),
        (("interpreter atexit",), ""),
    ],
)
def test_a_place_is_called_as_the_program_calls_it(path: tuple[str, ...], name: str) -> None:
    assert called(path) == name


def test_lengths() -> None:
    assert [length(step) for step in ("list[3 of 10]", "list[1,000]", "list[…]", "['u1']", "Row")] == [
        10,
        1000,
        0,
        0,
        0,
    ]


def test_figures_of_pyplot() -> None:
    way = ("class Gcf", "figs", "OrderedDict", "[1, …]", "FigureManagerBase", ".canvas", "FigureCanvasAgg")
    assert rule_of(shown(held("module matplotlib._pylab_helpers", *way))) == "L20"
    at_exit = held("interpreter atexit", "bound method Gcf.destroy_all of", *way, kind="interpreter")
    assert rule_of(shown(at_exit)) == "L20"
