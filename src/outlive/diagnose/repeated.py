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
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from outlive.capture import gauges, sampling, scopes
from outlive.capture.peaks import Unseen
from outlive.diagnose import series
from outlive.diagnose.course import LARGE_NAMED_RUNS, MORE, SETTLE_RUNS, Course
from outlive.diagnose.growth import LIMIT_BYTES
from outlive.errors import OutliveError
from outlive.model.finding import LEAKS
from outlive.model.size import MIB, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outlive.diagnose.ignores import Ignore
    from outlive.model.finding import Finding
    from outlive.model.growth import GaugeGrowth, Growth, GrowthLimit

RUNS_LEAST = series.QUIET_RUNS

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
        evidence = sampled.evidence(ignores)
    return _judged(course, began, over, evidence)


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What recording and heap say of what grows, and what a run left of known noise, left out there."""

    findings: Sequence[Finding] = ()
    beside: Finding | None = None
    ignored: dict[str, float] = field(default_factory=dict)


def _judged(course: Course, began: float, over: tuple[GaugeGrowth, ...], evidence: _Evidence) -> Growth:
    """Return the verdict on what surely grows: it may be noise with a name, or a cache with a limit."""
    verdict = partial(course.verdict, began, ignored=evidence.ignored)
    growing = {each.gauge for each in over}
    memory = [each for each in over if each.gauge in gauges.SIZES]
    leaks, unproven = _named(evidence, memory)
    memory_alone = bool(memory) and growing <= {*gauges.SIZES, gauges.BLOCKS}
    if memory_alone:
        least = max(each.per_run.low for each in memory)
        noise = sum(evidence.ignored.values())
        if least - noise <= course.limit.size_bytes and noise > 0:
            names = ", ".join(f"{name} {readable(size)}" for name, size in evidence.ignored.items())
            return verdict("steady", (f"what grows is known noise: {names} a run",))
        bounded = [one for one in evidence.findings if one.verdict == "bounded growth" and one.rule]
        if bounded and not leaks:
            return verdict("bounded growth", bounded[0].reasons)
    if growing <= {gauges.FILES, gauges.THREADS}:
        leaks = unproven = ()  # the heap knows nothing of files, and who holds a thread is the thread itself
    if growing == {gauges.MEMORY} and not leaks:
        if not unproven and threading.active_count() > 1:
            why = "its memory grows, but by nothing that a run made: other threads run, and may be what grows"
            return verdict("not enough data", (why,))
        if over[0].per_run.low <= LIMIT_BYTES:
            why = "what grows is nothing that a run made, and so little that it may be malloc's own caches"
            return verdict("steady", (why,))
    native = memory_alone and bool(leaks) and leaks[0].verdict == "native growth"
    reasons = tuple(_grown(each, course.limit) for each in over)
    made = verdict("native growth" if native else "leak", reasons)
    return replace(made, gauges=over, findings=leaks or unproven)


def _named(
    evidence: _Evidence, memory: Sequence[GaugeGrowth]
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return findings that name what leaks, and those that name it without proof.

    Those are of the line that most of what survives is from.
    """
    ours = [one for one in evidence.findings if one.scope and one.site is not None]
    leaks = [one for one in ours if one.verdict in LEAKS]
    beside = evidence.beside
    if beside is not None and beside.per_run_bytes is not None:
        # What was made beside the runs explains what grows, or is left out.
        most = max((each.per_run.low for each in memory), default=math.inf)
        leaks += [beside] if 2 * beside.per_run_bytes.estimate >= most else []
    unproven = (one for one in ours if one.verdict == "not enough data" and one.in_use_bytes)
    return tuple(leaks), tuple(unproven)


def _grown(grown: GaugeGrowth, limit: GrowthLimit) -> str:
    if grown.gauge in gauges.SIZES:
        least = f"at least {readable(grown.per_run.low)} a run at 99 %, in every segment of the runs"
        return f"{grown.gauge} grows by {least}; it may by {readable(limit.size_bytes)}"
    most = ", ".join(f"{name} ×{count}" for name, count in Counter(gauges.names(grown.gauge)).most_common(2))
    return f"{grown.gauge}: each run left one more" + (f"; most are {most}" if most else "")


def _flat(course: Course) -> tuple[str, ...]:
    if course.runs_done < RUNS_LEAST:
        return ()
    return (f"it does not grow: {RUNS_LEAST} runs and more left nothing over its limit behind",)


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

    def evidence(self, ignores: Sequence[Ignore]) -> _Evidence:
        """Return what there is, nothing if it can't be read."""
        file = sampling.recording_path()
        if not file:  # the code under test stopped it
            return _Evidence()
        with Unseen():
            return self._evidence(Path(file), ignores)

    def _evidence(self, file: Path, ignores: Sequence[Ignore]) -> _Evidence:
        from outlive.diagnose.noise import made_beside, without_noise
        from outlive.diagnose.this_process import judged, snapshot_if_named
        from outlive.recording.reader import read

        try:
            taken = snapshot_if_named()
            recording, ignored = without_noise(read(file), ignores)
            found = judged(recording, taken, self._course.limit.size_bytes)
            return _Evidence(found, made_beside(recording, self._name, self._runs), ignored)
        except OutliveError:
            return _Evidence()
