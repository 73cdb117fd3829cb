"""Does a piece of code leave memory behind each time it runs? It runs until that is certain.

First, exact counters are read that cost next to nothing: most code is flat after some twenty runs, and that
is all. What keeps growing through warm-up and the runs that were asked for is run three times as often again,
with every block sampled and all garbage collected: what survives then, and the heap, name line and holder.
"""

from __future__ import annotations

import gc
import math
import tempfile
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from outlive.capture import gauges, sampling, scopes
from outlive.capture.peaks import Unseen
from outlive.diagnose import series
from outlive.diagnose.course import LARGE_NAMED_RUNS, MORE, SETTLE_RUNS, Course
from outlive.diagnose.growth import LIMIT_BYTES
from outlive.errors import OutliveError
from outlive.model.estimate import Estimate
from outlive.model.size import MIB, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outlive.diagnose.ignores import Ignore
    from outlive.model.finding import Finding
    from outlive.model.growth import GaugeGrowth, Growth, GrowthLimit

RUNS_LEAST = series.QUIET_RUNS

_NONE = Estimate(0.0, 0.0, 0.0)

_COST = 0.05  # of a run's time, for readings
_COST_SUSPECTED = 0.5
_RECORDING_BYTES = 64 * MIB


def growth(
    once: Callable[[], bool], limit: GrowthLimit, name: str, ignores: Sequence[Ignore]
) -> Growth | None:
    """Run `once` until it is certain whether it grows; None if a run says, by False, that it did not succeed.

    Args:
        once: a run. What it raises comes through.
        limit: what may grow, and how many runs there are.
        name: of the scope that runs are of.
        ignores: known noise.

    Raises:
        OutliveError: memory can't be counted here.

    """
    began = time.perf_counter()
    course = Course(once, limit)
    _empty_free_lists()
    ended = course.run(limit.warmup + limit.runs, _COST, gc.collect, 1)
    if ended == "failed":
        return None
    if ended == "flat":
        return course.verdict(began, "steady", _flat(course))
    if limit.runs < RUNS_LEAST and ended != "large":
        few = f"{limit.runs} runs were asked for; it takes {RUNS_LEAST} to say anything"
        return course.verdict(began, "not enough data", (few, f"ask for more: runs={RUNS_LEAST}"))
    if ended == "done" and not course.is_suspicious():
        return course.verdict(began, "steady", _flat(course))
    return _suspected(course, began, name, ignores, large=ended == "large")


def _empty_free_lists() -> None:
    """Have CPython's lists of free objects emptied: they would provide what is left behind at first.

    A full collection does; of objects that are frozen it costs nothing.
    """
    if gc.get_freeze_count():  # somebody else's are to stay so
        gc.collect()
        return
    gc.freeze()
    try:
        gc.collect()
    finally:
        gc.unfreeze()


def _suspected(
    course: Course, began: float, name: str, ignores: Sequence[Ignore], *, large: bool
) -> Growth | None:
    course.begin_segment()
    with _Sampled(name, course) as sampled:
        # The modules that name what survives are there before, and not among it.
        with Unseen():
            from outlive.diagnose import noise  # noqa: F401

        runs = LARGE_NAMED_RUNS if large else MORE * course.limit.runs
        ended = course.run(SETTLE_RUNS, math.inf, gc.collect)
        if ended != "failed":
            course.begin_segment()
            ended = course.run(runs, _COST_SUSPECTED, gc.collect, large_too=not large)
        if ended == "failed":
            return None
        if ended == "flat":
            reasons = (f"it grew at first, and no more after run {course.runs_done - RUNS_LEAST}",)
            return course.verdict(began, "bounded growth", reasons)
        over = course.over(large=large or ended == "large")
        if not over:
            return course.verdict(began, *course.unproven())
        found, ignored = sampled.findings(ignores)
    return _judged(course, began, over, found, ignored)


def _judged(
    course: Course,
    began: float,
    over: tuple[GaugeGrowth, ...],
    found: Sequence[Finding],
    ignored: dict[str, float],
) -> Growth:
    """Return the verdict on what surely grows: it may be noise with a name, or a cache with a limit."""
    memory = [each for each in over if each.gauge in {gauges.MEMORY, gauges.MAPPED}]
    others = [each for each in over if each not in memory and each.gauge != gauges.BLOCKS]
    ours = tuple(one for one in found if one.scope and one.site is not None)
    leaks = tuple(one for one in ours if one.verdict in {"leak", "native growth"})
    beside = tuple(one for one in leaks if one.confidence == "likely" and not one.certain_bytes)
    most = max((each.per_run.low for each in memory), default=math.inf)
    # What was made beside the runs explains it, or is left out.
    leaks = tuple(
        one for one in leaks if one not in beside or 2 * (one.per_run_bytes or _NONE).estimate >= most
    )
    # Without, the line is named that most of what survives is from, though that alone would not prove it.
    unproven = tuple(one for one in ours if one.verdict == "not enough data" and one.in_use_bytes)
    bounded = tuple(one for one in found if one.verdict == "bounded growth" and one.rule)
    if memory and not others:
        least = max(each.per_run.low for each in memory)
        noise = sum(ignored.values())
        if least - noise <= course.limit.size_bytes and noise > 0:
            names = ", ".join(f"{name} {readable(size)}" for name, size in ignored.items())
            return course.verdict(began, "steady", (f"what grows is known noise: {names} a run",), ignored)
        if bounded and not leaks:
            return course.verdict(began, "bounded growth", bounded[0].reasons, ignored)
    if {each.gauge for each in over} <= {gauges.FILES, gauges.THREADS}:
        leaks = unproven = ()  # the heap knows nothing of files, and who holds a thread is the thread itself
    unexplained = not (leaks or unproven) and [each.gauge for each in over] == [gauges.MEMORY]
    if unexplained and threading.active_count() > 1:
        why = "its memory grows, but by nothing that a run made: other threads run, and may be what grows"
        return course.verdict(began, "not enough data", (why,), ignored)
    if not leaks and [each.gauge for each in over] == [gauges.MEMORY] and over[0].per_run.low <= LIMIT_BYTES:
        why = "what grows is nothing that a run made, and so little that it may be malloc's own caches"
        return course.verdict(began, "steady", (why,), ignored)
    reasons = tuple(_grown(each, course.limit) for each in over)
    native = bool(memory) and not others and bool(leaks) and leaks[0].verdict == "native growth"
    made = course.verdict(began, "native growth" if native else "leak", reasons, ignored)
    return replace(made, gauges=over, findings=leaks or unproven)


def _grown(grown: GaugeGrowth, limit: GrowthLimit) -> str:
    if grown.gauge in {gauges.MEMORY, gauges.MAPPED}:
        least = f"at least {readable(grown.per_run.low)} a run at 99 %, in every segment of the runs"
        return f"{grown.gauge} grows by {least}; it may by {readable(limit.size_bytes)}"
    most = ", ".join(f"{name} ×{count}" for name, count in Counter(gauges.names(grown.gauge)).most_common(2))
    return f"{grown.gauge}: each run left one more" + (f"; most are {most}" if most else "")


def _flat(course: Course) -> tuple[str, ...]:
    return (
        (f"it does not grow: {RUNS_LEAST} runs and more left nothing over its limit behind",)
        if (course.runs_done >= RUNS_LEAST)
        else ()
    )


class _Sampled:
    """While every block is sampled, each run in a scope."""

    def __init__(self, name: str, course: Course) -> None:
        self._name, self._course = name, course
        self._plain = course.once
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._is_ours = False
        self._runs = 0

    def __enter__(self) -> _Sampled:  # noqa: PYI034 - one class, no subclasses
        if not sampling.is_running():
            try:
                self._begin()
            except OSError as error:
                raise OutliveError("memory can't be sampled", str(error)) from error
        self._course.once = self._in_scope
        return self

    def _begin(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="outlive-", ignore_cleanup_errors=True)
        place = str(Path(self._folder.name, "test.outlive"))
        try:
            sampling.start(1, place, _RECORDING_BYTES, True)  # noqa: FBT003 - native too
        except BaseException:
            self._folder.cleanup()
            raise
        sampling.insist()  # whatever the code under test asks for
        sampling.be_still()  # what it takes to look would show
        self._is_ours = True

    def _in_scope(self) -> bool:
        self._runs += 1
        run, around = scopes.enter(self._name)
        try:
            return self._plain()
        finally:
            scopes.leave(run, around)

    def __exit__(self, *raised: object) -> None:
        self._course.once = self._plain
        if self._is_ours:
            sampling.stop()
        if self._folder is not None:
            self._folder.cleanup()

    def findings(self, ignores: Sequence[Ignore]) -> tuple[list[Finding], dict[str, float]]:
        """Return what recording and heap say, and what a run left of known noise, left out there."""
        file = sampling.recording_path()
        if not file:  # the code under test stopped it
            return [], {}
        with Unseen():
            return self._found(Path(file), ignores)

    def _found(self, file: Path, ignores: Sequence[Ignore]) -> tuple[list[Finding], dict[str, float]]:
        from outlive.diagnose.noise import made_beside, without_noise
        from outlive.diagnose.this_process import judged, snapshot_if_named
        from outlive.recording.reader import read

        try:
            taken = snapshot_if_named()
            recording, ignored = without_noise(read(file), ignores)
            found = judged(recording, taken, self._course.limit.size_bytes)
            return found + made_beside(recording, self._name, self._runs), ignored
        except OutliveError:
            return [], {}
