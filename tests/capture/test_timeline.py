"""The timeline's rings: what they keep, how far back they reach, whatever the clocks do."""

from __future__ import annotations

import asyncio
import resource
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from outlive.capture import proc, timeline
from outlive.model import layout
from outlive.recording import timeline as reader

if TYPE_CHECKING:
    from outlive.model.recording import Point

MIB = 1 << 20
HOUR, DAY = 3600, 86400
BEGAN = 1_700_000_000.0


class Rings:
    """The three rings in memory, and what a reader makes of them."""

    def __init__(self) -> None:
        self.data = bytearray(layout.TIMELINE_BYTES)
        self.rings = []
        offset = 0
        for seconds, count in layout.TIERS:
            self.rings.append(timeline.Ring(offset, seconds, count, self.write))
            offset += count * layout.POINT.size

    def write(self, offset: int, point: bytes) -> None:
        assert offset >= 0
        assert offset + len(point) <= layout.TIMELINE_BYTES
        self.data[offset : offset + len(point)] = point

    def add(
        self, uptime: float, rss: int | None = None, *, now: float | None = None, uss: int | None = None
    ) -> None:
        figures: list[int | None] = [None] * 13
        figures[:3] = [rss, rss, uss]
        for ring in self.rings:
            ring.add(BEGAN + uptime if now is None else now, uptime, figures)

    def read(self) -> tuple[Point, ...]:
        points, torn = reader.points(bytes(self.data))
        assert torn == 0
        assert [point.uptime for point in points] == sorted({point.uptime for point in points})
        return points


def test_a_week_fits_the_last_minutes_by_the_second() -> None:
    rings = Rings()
    end = 9 * DAY
    for uptime in (*range(0, end - 2 * HOUR, 5), *range(end - 2 * HOUR, end)):
        rings.add(float(uptime), uptime)
    points = rings.read()
    assert points[-1].uptime == end - 1
    assert points[0].uptime <= end - 7 * DAY
    by_second = [point for point in points if point.uptime >= end - 1200]
    assert [point.rss for point in by_second] == list(range(end - 1200, end))
    gaps = [after.uptime - before.uptime for before, after in pairwise(points)]
    assert max(gaps) == 60
    reach = {gap: end - before.uptime for gap, before in zip(gaps, points, strict=False)}
    assert reach[10] <= 1200 + 10  # the last gap of ten seconds is where the seconds begin
    assert sum(gap == 10 for gap in gaps) >= 3600 - 121


def test_a_peak_is_kept_as_it_ages_to_another_tier() -> None:
    rings = Rings()
    for uptime in range(4 * HOUR):
        rings.add(float(uptime), 900 * MIB if uptime == 1234 else 100 * MIB)
    (peak,) = (point for point in rings.read() if point.rss_peak == 900 * MIB)
    assert peak.rss == 100 * MIB
    assert 1234 <= peak.uptime <= 1240
    for uptime in range(4 * HOUR, 14 * HOUR, 2):
        rings.add(float(uptime), 100 * MIB)
    (peak,) = (point for point in rings.read() if point.rss_peak == 900 * MIB)
    assert 1234 <= peak.uptime <= 1260


def test_what_is_seldom_known_is_kept_as_it_was_last_known() -> None:
    rings = Rings()
    for uptime in range(3 * HOUR):
        rings.add(float(uptime), MIB, uss=uptime if uptime % 10 == 3 else None)
    points = rings.read()
    assert {point.uss is None for point in points if point.uptime > 3 * HOUR - 1200} == {True, False}
    coarse = [point for point in points if 10 <= point.uptime < 3 * HOUR - 1201]
    assert coarse
    assert all(point.uss is not None and 0 <= point.uptime - point.uss < 10 for point in coarse)


@pytest.mark.parametrize("step", [-3 * DAY, -5, 5, 300 * DAY])
def test_the_order_stands_when_the_clock_is_set(step: float) -> None:
    rings = Rings()
    for uptime in range(3000):
        rings.add(float(uptime), uptime, now=BEGAN + uptime + (step if uptime >= 1500 else 0))
    points = rings.read()
    assert [point.rss for point in points] == [round(point.uptime) for point in points]
    assert points[-1].rss == 2999
    assert points[-1].time == BEGAN + 2999 + step


def test_a_machine_that_slept_leaves_a_gap() -> None:
    rings = Rings()
    for uptime in (*range(600), *range(600 + 2 * DAY, 1200 + 2 * DAY)):
        rings.add(float(uptime), uptime)
    points = rings.read()
    assert [point.rss for point in points] == [*range(600), *range(600 + 2 * DAY, 1200 + 2 * DAY)]


def test_what_is_not_known_or_too_large_is_said_so() -> None:
    rings = Rings()
    figures: list[int | None] = [None] * 13
    rings.rings[0].add(BEGAN, 0.0, figures)
    figures[10] = (1 << 32) + 7  # collections, in a process of many years
    rings.rings[0].add(BEGAN, 1.0, figures)
    first, second = rings.read()
    assert {first.rss, first.rss_peak, first.uss, first.tasks, first.threads, *first.gc_counts} == {None}
    assert second.gc_collections == 8  # counts go round, and never read as unknown


# ---- what is looked at ----


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def test_a_point_says_what_the_process_is() -> None:
    rings = Rings()
    parts = {"python_in_use": 5, "malloc_free": 6}
    look = timeline.Timeline(0, time.monotonic_ns(), rings.write, lambda: parts)
    assert look.look() == {"breakdown": {"python_in_use": 5, "malloc_free": 6}}
    (point,) = rings.read()
    assert (point.python_in_use, point.malloc_free, point.python_free) == (5, 6, None)
    assert point.threads == threads() - 1  # without the one that looks
    assert point.rss is not None
    assert point.rss > 5 * MIB
    assert point.uss is not None
    assert 0 < point.uss <= point.rss * 1.1
    assert point.rss_peak == point.rss
    assert abs(point.time - time.time()) < 60
    assert None not in {point.gc_collections, point.threads, *point.gc_counts}


def test_a_peak_between_two_points_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    rings = Rings()
    now = time.monotonic_ns()
    look = timeline.Timeline(0, now, rings.write, dict)
    monkeypatch.setattr(time, "monotonic_ns", lambda: now)
    look.look()
    (before,) = rings.read()
    assert before.rss is not None
    record = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    gone = b"x" * (record - before.rss + 64 * MIB)  # only what breaks the record is seen
    del gone
    monkeypatch.setattr(time, "monotonic_ns", lambda: now + 10**9)
    look.look()
    _, after = rings.read()
    assert after.rss is not None
    assert after.rss_peak is not None
    assert after.rss < before.rss + 32 * MIB
    assert after.rss_peak >= record + 60 * MIB


def test_what_costs_much_is_looked_at_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "thread_time", lambda: clock[0])

    def measure() -> int:
        clock[0] += 0.01
        return 7

    seldom = timeline.Seldom()
    looks = [uptime for uptime in range(3600) if seldom.look(float(uptime), measure) == 7]
    assert clock[0] / 3600 <= 0.0003  # of one core
    assert len(looks) > 60


def test_what_can_not_be_looked_at_leaves_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> dict[str, int]:
        raise PermissionError

    monkeypatch.setattr(proc, "uss_bytes", fail)
    rings = Rings()
    timeline.Timeline(0, time.monotonic_ns(), rings.write, fail).look()
    (point,) = rings.read()
    assert point.uss is None
    assert point.rss


def test_the_last_look_is_not_too_early_for_anything() -> None:
    rings = Rings()
    look = timeline.Timeline(0, time.monotonic_ns(), rings.write, lambda: {"python_in_use": 5})
    look.look()
    assert look.last_look() == {"breakdown": {"python_in_use": 5}}
    assert rings.read()[-1].uss is not None
    assert rings.read()[-1].threads == threads()
    assert len(rings.read()) == 2


# ---- asyncio ----


def test_tasks_are_counted_while_they_come_and_go() -> None:
    counts: list[int | None] = []
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            counts.append(timeline.tasks())

    async def brief() -> None:
        await asyncio.sleep(0)

    async def main() -> int | None:
        sleepers = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(10_000)]
        await asyncio.sleep(0)
        for _ in range(20):
            await asyncio.gather(*(brief() for _ in range(100)))
        there = timeline.tasks()
        for task in sleepers:
            task.cancel()
        await asyncio.gather(*sleepers, return_exceptions=True)
        return there

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        there = asyncio.run(main())
    finally:
        stop.set()
        watcher.join()
    assert there is not None
    assert 10_001 <= there <= 10_001 + 100
    assert counts
    assert max(count for count in counts if count is not None) >= 10_000
    assert timeline.tasks() == 0


def test_tasks_of_all_loops_count() -> None:
    ready, done = threading.Barrier(4), threading.Event()

    async def main() -> None:
        waiting = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(10)]
        await asyncio.sleep(0)
        ready.wait()
        done.wait()
        for task in waiting:
            task.cancel()

    threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    ready.wait()
    there = timeline.tasks()
    done.set()
    for thread in threads:
        thread.join()
    assert there == 33


def test_nothing_is_imported_to_count_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "asyncio.tasks")
    assert timeline.tasks() is None
    assert "asyncio.tasks" not in sys.modules
