"""Runs of a piece of code, one after another, and what a process has in use after them."""

from __future__ import annotations

import math
import resource
import time
from array import array
from typing import TYPE_CHECKING, Literal

from outlive.capture import gauges
from outlive.capture.snapshot import room_bytes
from outlive.diagnose import series
from outlive.errors import OutliveError
from outlive.model.estimate import Estimate
from outlive.model.growth import GaugeGrowth, Growth
from outlive.model.size import KIB, MIB, readable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from outlive.diagnose.series import Series
    from outlive.model.growth import GrowthLimit

    End = Literal["failed", "flat", "large", "done"]

LARGE_BYTES = 512 * MIB  # grown by so much, it need not go on to the end
LARGE_RUNS = 10
FILES_SHARE = 0.7  # of the file descriptors a process may have
LARGE_NAMED_RUNS = 5  # with every block sampled
MAPPED_LEAST_BYTES = 64 * KIB  # a run: below lies what untouched pages make of the figure
MORE = 3  # times as many runs again, if it looks like a leak
SETTLE_RUNS = 3  # after sampling began: it takes memory itself

_APART = 5  # runs between two readings at most
_SEGMENT_READINGS = 10  # at least: of five, no slope has bounds at 99 %
_CURVE = 48  # points of the picture
_COUNTS = (gauges.FILES, gauges.THREADS, gauges.TASKS)
_MAPPED = (gauges.MAPPED, gauges.SPACE)
_PLACE = {name: place for place, name in enumerate(gauges.GAUGES)}


class Course:
    """Runs `once`, which tells by False that it did not succeed, and knows what was in use after runs.

    What is read goes into columns that are there from the start: what is made meanwhile counts.
    """

    def __init__(self, once: Callable[[], bool], limit: GrowthLimit) -> None:
        self.limit = limit
        self.once = once
        self.runs_done = 0
        most = limit.warmup + limit.runs * (1 + MORE) + SETTLE_RUNS + 2
        self._runs = array("q", bytes(8 * most))
        self._figures = [array("q", bytes(8 * most)) for _ in gauges.GAUGES]
        self._readings = 0
        self._segments = array("q", (0,))  # the first reading of each
        self._spent_running = self._spent_reading = 0.0
        self._room = room_bytes() // 4
        self._files = resource.getrlimit(resource.RLIMIT_NOFILE)[0] * FILES_SHARE

    def run(
        self,
        count: int,
        cost: float,
        collect: Callable[..., object],
        *generation: int,
        large_too: bool = True,
    ) -> End:
        """Run `count` times, unless it ends before: as it failed, is flat, or has grown by very much."""
        last = self.runs_done + count
        since = 0
        while self.runs_done < last:
            started = time.perf_counter()
            fine = self.once()
            self._spent_running += time.perf_counter() - started
            self.runs_done += 1
            since += 1
            if not fine:
                return "failed"
            if since < self._apart(cost) and self.runs_done < last:
                continue
            since = 0
            self._read(collect, *generation)
            if cost is math.inf:
                continue
            if self.is_flat():
                return "flat"
            if large_too and self._is_large():
                return "large"
        return "done"

    def _apart(self, cost: float) -> int:
        """Return after how many runs to read again, so that reading is a small part of the time."""
        if not self._readings or self._spent_running <= 0:
            return 1
        run, reading = self._spent_running / self.runs_done, self._spent_reading / self._readings
        most = max(1, min(_APART, self.limit.runs // _SEGMENT_READINGS))
        return max(1, min(most, math.ceil(reading / (cost * run))))

    def _read(self, collect: Callable[..., object], *generation: int) -> None:
        started = time.perf_counter()
        collect(*generation)
        try:
            figures = gauges.read()
        except OSError as error:
            raise OutliveError("the process's memory can't be read", str(error)) from error
        self._runs[self._readings] = self.runs_done
        for column, figure in zip(self._figures, figures, strict=True):
            column[self._readings] = figure
        self._readings += 1
        self._spent_reading += time.perf_counter() - started

    def begin_segment(self) -> None:
        """Let what follows be looked at by itself."""
        self._segments.append(max(0, self._readings - 1))

    def _since(self, gauge: str, first: int, end: int | None = None) -> Series:
        end = self._readings if end is None else end
        return self._runs[first:end], self._figures[_PLACE[gauge]][first:end]

    def _segment(self, gauge: str) -> Series:
        return self._since(gauge, self._segments[-1])

    def _limit_of(self, gauge: str) -> float:
        least = MAPPED_LEAST_BYTES if gauge in _MAPPED else 0
        return max(self.limit.size_bytes, least)

    def is_flat(self) -> bool:
        """Return whether nothing grows over its limit any more."""
        if not series.is_flat(self._segment(gauges.MEMORY), self.limit.size_bytes):
            return False
        # What is mapped may be touched late: then the address space does not grow.
        mapped = _MAPPED if self.limit.size_bytes else ()
        if mapped and not any(series.is_flat(self._segment(each), self._limit_of(each)) for each in mapped):
            return False
        return not any(series.every_run_adds([self._last(gauge)]) for gauge in self._exact())

    def _exact(self) -> tuple[str, ...]:
        return _COUNTS if self.limit.size_bytes else (*_COUNTS, gauges.BLOCKS)

    def _last(self, gauge: str) -> Series:
        """Return the readings of the last dozens of runs."""
        runs, figures = self._segment(gauge)
        first = next((i for i, run in enumerate(runs) if run >= runs[-1] - series.QUIET_RUNS), 0)
        return runs[first:], figures[first:]

    def is_suspicious(self) -> bool:
        """Return whether the runs after warm-up may have added more than the limit each."""
        for gauge in (gauges.MEMORY, gauges.MAPPED):
            runs, figures = self._warm(gauge)
            if len(runs) < 2 or series.slope((runs, figures)).high > self._limit_of(gauge):  # noqa: PLR2004
                return True
        return any(series.every_run_adds([self._warm(gauge)]) for gauge in self._exact())

    def _warm(self, gauge: str) -> Series:
        """Return the first segment after warm-up."""
        end = self._segments[1] if len(self._segments) > 1 else self._readings
        runs = self._runs[:end]
        first = next((i for i, run in enumerate(runs) if run >= self.limit.warmup), 0)
        return self._since(gauge, first, end)

    def _is_large(self) -> bool:
        """Return whether it grew enough, or what it takes is short."""
        if self._readings <= LARGE_RUNS:
            return False
        last = self._readings - 1
        if self._figures[_PLACE[gauges.FILES]][last] > self._files:
            return series.every_run_adds([self._last(gauges.FILES)])
        memory = self._figures[_PLACE[gauges.MEMORY]]
        warm = self.runs_done > self.limit.warmup + LARGE_RUNS
        most = min(LARGE_BYTES, self._room) if warm else self._room
        return memory[last] - memory[0] >= most and self._always_grew(LARGE_RUNS)

    def _always_grew(self, readings: int) -> bool:
        runs, figures = self._since(gauges.MEMORY, max(0, self._readings - readings - 1))
        limit = self.limit.size_bytes
        return all(
            figures[i + 1] - figures[i] > limit * (runs[i + 1] - runs[i]) for i in range(len(runs) - 1)
        )

    def over(self, *, large: bool) -> tuple[GaugeGrowth, ...]:
        """Return what surely grows by more than it may, in every segment; if it is `large`, of late."""
        found = []
        for gauge in (gauges.MEMORY, gauges.MAPPED, *self._exact()):
            segments = (
                [self._since(gauge, max(0, self._readings - LARGE_RUNS))] if large else self._parts(gauge)
            )
            if self._surely_grows(gauge, segments, large=large):
                found.append(self._grown(gauge, segments))
        return tuple(found)

    def _surely_grows(self, gauge: str, segments: Sequence[Series], *, large: bool) -> bool:
        if gauge in self._exact():
            return series.every_run_adds(segments)
        if large:
            return gauge == gauges.MEMORY and self._always_grew(LARGE_NAMED_RUNS)
        if not series.grows(segments, self._limit_of(gauge)):
            return False
        return gauge != gauges.MAPPED or series.grows(self._parts(gauges.SPACE), MAPPED_LEAST_BYTES)

    def _parts(self, gauge: str) -> list[Series]:
        """Return the runs after warm-up, and two parts of those where every block was sampled."""
        runs, figures = self._segment(gauge)
        first = len(runs) // MORE
        return [
            self._warm(gauge),
            (runs[: first + 1], figures[: first + 1]),
            (runs[first:], figures[first:]),
        ]

    def _grown(self, gauge: str, segments: Sequence[Series]) -> GaugeGrowth:
        slopes = [series.slope(each) for each in segments]
        least = max(0.0, min(each.low for each in slopes))
        most = max(each.high for each in slopes)
        runs, figures = segments[-1]
        mean = slopes[-1].slope
        if math.isinf(most):  # of few readings, all the same way: the least and the most of them
            steps = [(figures[i + 1] - figures[i]) / (runs[i + 1] - runs[i]) for i in range(len(runs) - 1)]
            least, most = max(0.0, min(steps)), max(steps)
        return GaugeGrowth(gauge, Estimate(mean, min(least, mean), max(most, mean)))

    def unproven(self) -> tuple[Literal["bounded growth", "steady", "not enough data"], tuple[str, ...]]:
        """Return what to say where it is not certain that it grows."""
        segments = self._parts(gauges.MEMORY)
        first, last = series.slope(segments[0]), series.slope(segments[-1])
        limit = self._limit_of(gauges.MEMORY)
        if last.low <= limit and last.high > 2 * limit + 10 * KIB:
            between = f"{readable(max(0.0, last.low))} to {readable(last.high)} a run"
            why = f"its memory goes up and down, it may grow by {between}"
            return "not enough data", (why, "let it run more often, or less vary from run to run")
        if first.slope > limit and last.slope < series.LAST_SHARE * first.slope:
            then, now = readable(first.slope), readable(max(0.0, last.slope))
            return "bounded growth", (f"it adds less and less: {then} a run at first, {now} in the end",)
        return "steady", ("no growth over its limit is certain",)

    def verdict(
        self,
        began: float,
        kind: Literal["leak", "native growth", "bounded growth", "steady", "not enough data"],
        reasons: tuple[str, ...],
        ignored: dict[str, float] | None = None,
    ) -> Growth:
        """Return what was found."""
        seconds = time.perf_counter() - began
        curve, memory = self._curve(), self._memory()
        return Growth(kind, self.limit, self.runs_done, seconds, memory, curve, reasons, (), ignored or {})

    def _memory(self) -> tuple[GaugeGrowth, ...]:
        segment = self._segment(gauges.MEMORY)
        if len(segment[0]) < 2:  # noqa: PLR2004 - a slope takes two
            return ()
        return (self._grown(gauges.MEMORY, [segment]),)

    def _curve(self) -> tuple[float, ...]:
        """Return what memory was in use after runs, over the first reading, in equal stretches of readings.

        What sampling took when it began is left out.
        """
        figures = self._since(gauges.MEMORY, 0)[1]
        if len(self._segments) > 2:  # noqa: PLR2004 - settled
            before, after = self._segments[1], self._segments[2]
            taken = figures[after] - figures[before]
            figures = [*figures[:before], *(each - taken for each in figures[after:])]
        cells = min(_CURVE, len(figures))
        return tuple(
            float(max(0, figures[(i + 1) * len(figures) // cells - 1] - figures[0])) for i in range(cells)
        )
