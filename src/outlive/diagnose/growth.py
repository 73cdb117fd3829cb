"""Is it a leak? Told by which runs the survivors are of, rather than by a curve of growth.

A leak leaves the same behind in old runs and new ones. Warm-up leaves what early runs made, a step what one
run made; a cache that evicts, and garbage that waits, what recent runs made; a table that fills, less and
less. docs/explanation/verdicts.md tells it in words, with the rates of error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Literal

from outlive.diagnose.statistics import Z95, Z99, poisson_high, poisson_low, student
from outlive.diagnose.survivors import together
from outlive.model.estimate import Estimate
from outlive.model.size import KIB, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outlive.diagnose.survivors import Runs, SiteSurvivors

Kind = Literal["leak", "bounded growth", "steady", "not enough data"]

LIMIT_BYTES = 512  # a run: below lies what a busy day of ints and short strings leaves
QUIET_BYTES = 10 * KIB  # a run: "steady" says that a leak of this much would have been seen

WARM_UP = 50  # runs, of 150 and more; a third of fewer
UNSETTLED_SHARE = 1 / 20  # of the runs, the last ones: the next ones may drop what they left
UNSETTLED_LEAST = 2
FIRST_SHARE = 1 / 100  # of the runs: they import and fill, leak or not

MEASURED_LEAST = 8  # runs between the two: with fewer, a third of them is one or two
RUNS_LEAST = 20
LEAVING_LEAST = 8  # runs that left something: 18 are expected of 10 KiB a run, 300 runs and 128 KiB
EVENTS_LEAST = 5  # blocks of one size that would scatter as much: one of 50 MB among small ones is 1
QUIET_RUNS_LEAST = 20  # every block known: a leak in every tenth run would have shown twice

KEPT = 0.97  # share of all that outlived its run: that much is alive where nothing is let go
TABLES = 2  # samples of tables that grew and were copied
TABLES_BESIDE = 10  # samples alive for each of those
MOST = 3 / 4  # of the samples alive: what sites have that lost nothing
KEPT_LEAST = 12  # samples: of fewer, none may have died by chance
WHOLE = 1.3  # what recent runs left, times all runs, is all that ever outlived one, to this
HALF = 1 / 2  # the last third of the runs leaves at least this part of what the first leaves
ALIKE = 2 / 3  # and the other way round, where it isn't known that nothing is let go
THINNING = 1 / 10  # survivors as run^-0.1: 7 % fewer a doubling. A steeper fall, if not by chance, is watched
SOME_RUNS = 150  # with fewer, it must be certain that new runs leave as much as old ones
MANY_RUNS = 300  # with fewer, what thins out slowly has not come far: a suspicion is enough to wait
MANY_LEAVING = 25  # with fewer, chance alone makes a leak look like falling too often
DYING_OUT = 1 / 2  # as run^-0.5 and steeper: a leak it is not; logarithmic growth is run^-1
NEARLY_NONE = 1 / 10

Z_SUSPECTED = 1.644854  # one in 20
Z_UNLIKELY = 3.09  # one in 1,000: too seldom a leak's chance to matter
Z_EXCLUDED = 3.72  # one in 10,000: for saying what it is instead


@dataclass(frozen=True, slots=True)
class Trend:
    """What becomes of a site's survivors as runs go on.

    `per_run` is what a run leaves, over the `measured` runs between warm-up and the unsettled last ones, with
    its 95 % interval; `certain_bytes` its lower bound at 99 %. `runs_needed` is how many more runs may do
    where there is not enough data, else 0.
    """

    kind: Kind
    per_run: Estimate
    certain_bytes: float
    blocks_per_run: float
    measured: int
    reasons: tuple[str, ...]
    runs_needed: int = 0


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What some runs left, in order."""

    numbers: Sequence[int]
    left: Sequence[float]

    @property
    def words(self) -> str:
        return f"runs {self.numbers[0]} to {self.numbers[-1]}"

    @property
    def total(self) -> float:
        return sum(self.left)

    @property
    def mean(self) -> float:
        return self.total / len(self.left)

    @property
    def leaving(self) -> int:
        """How many runs left anything."""
        return sum(each > 0 for each in self.left)

    @property
    def scatter(self) -> float:
        """The variance from run to run, what sampling adds included."""
        mean = self.mean
        return sum((each - mean) ** 2 for each in self.left) / max(1, len(self.left) - 1)

    def thirds(self) -> tuple[_Stretch, _Stretch, _Stretch]:
        count = len(self.numbers)
        one, two = count // 3, count - count // 3
        return self.part(0, one), self.part(one, two), self.part(two, count)

    @property
    def roughness(self) -> float:
        """The variance from run to run, without what a trend adds: by differences (von Neumann 1941)."""
        steps = [(later - each) ** 2 for each, later in pairwise(self.left)]
        return sum(steps) / (2 * max(1, len(steps)))

    def part(self, first: int, end: int) -> _Stretch:
        return _Stretch(self.numbers[first:end], self.left[first:end])


def judge(site: SiteSurvivors, runs: Runs, limit_bytes: float = LIMIT_BYTES) -> Trend:
    """Return the verdict on the survivors of a site, or of all sites of a scope as one.

    Never a guess: what a leak and something innocent would both look like is "not enough data".

    Args:
        site: whose survivors.
        runs: the runs of their scope.
        limit_bytes: a run; a leak leaves more than this, by the lower bound at 99 %.

    """
    series = _series(site, runs)
    first, warm, end = _borders(runs.last)
    measured = _between(series, warm, end)
    blocks = sum(
        blocks for run, blocks in zip(site.runs, site.blocks, strict=True) if warm < run <= end
    ) / max(1, len(measured.numbers))
    if len(measured.numbers) < MEASURED_LEAST or runs.untracked > runs.last * UNSETTLED_SHARE:
        return _too_few(measured, runs, blocks)
    noise = _sampling_variance(site, warm, end)
    per_run, certain = _bounds(measured, noise, runs)
    case = _Case(site, runs, limit_bytes, series, _between(series, first, end), measured, certain)
    kind, reasons, needed = case.verdict()
    return Trend(kind, per_run, certain, blocks, len(measured.numbers), reasons, needed)


def judge_together(sites: Sequence[SiteSurvivors], runs: Runs, limit_bytes: float = LIMIT_BYTES) -> Trend:
    """Return the verdict on sites as one, or on those of them that keep all they make if these are a leak.

    Where much is made that dies, old runs losing theirs can't be told from that; where nothing dies, it can.
    """
    trend = judge(together(sites), runs, limit_bytes)
    for keeping in (_many_that_keep(sites), _all_but_tables(sites)):
        if trend.kind != "leak" and 0 < len(keeping) < len(sites):
            part = judge(together(keeping), runs, limit_bytes)
            if part.kind == "leak":
                return replace(part, per_run=trend.per_run, blocks_per_run=trend.blocks_per_run)
    return trend


def _many_that_keep(sites: Sequence[SiteSurvivors]) -> list[SiteSurvivors]:
    """Return the sites that each show by enough blocks that they keep them."""
    return [site for site in sites if keeps_all(site) and len(site.runs) >= KEPT_LEAST]


def _all_but_tables(sites: Sequence[SiteSurvivors]) -> list[SiteSurvivors]:
    """Return the sites that lost nothing, if they have most of it all, and the others lost most of theirs.

    So it is where a container grows: its table, at one site, is copied again and again. What is let go with
    time is so at all sites.
    """
    keeping = [site for site in sites if not site.late_samples]
    losing = [site for site in sites if site.late_samples]
    kept, lost = sum(len(site.runs) for site in losing), sum(site.late_samples for site in losing)
    if sum(len(site.runs) for site in keeping) < max(KEPT_LEAST, MOST / (1 - MOST) * kept) or kept > lost:
        return []
    return keeping


def keeps_all(site: SiteSurvivors) -> bool:
    """Return whether next to nothing that outlived its run is gone.

    A block or two that died may have been tables that grew: a dict's is copied to a larger one.
    """
    kept = len(site.runs)
    if site.late_samples <= TABLES and kept >= TABLES * TABLES_BESIDE:
        return True
    return 0 < (kept + site.late_samples) * KEPT <= kept


@dataclass(frozen=True, slots=True)
class _Case:
    """All that a verdict is reached from. `seen`: the measured runs, and those of warm-up but the first."""

    site: SiteSurvivors
    runs: Runs
    limit_bytes: float
    series: _Stretch
    seen: _Stretch
    measured: _Stretch
    certain: float

    def verdict(self) -> tuple[Kind, tuple[str, ...], int]:
        for question in (self.quiet, self.dies_out, self.let_go):
            if answer := question():
                return *answer, 0
        if doubts := self.doubts():
            return "not enough data", doubts, self.more_runs()
        return "leak", self.why_leak(), 0

    @property
    def is_exact(self) -> bool:
        return self.runs.interval_bytes <= 1

    def quiet(self) -> tuple[Kind, tuple[str, ...]] | None:
        """Answer where runs after warm-up leave nothing, or too little to matter."""
        first, *_ = self.measured.thirds()
        later = self.measured.part(len(first.numbers), len(self.measured.numbers))
        most = _high(later, self.runs, student(Z99, len(later.numbers) - 1))
        if self.is_exact:
            if len(later.numbers) < QUIET_RUNS_LEAST or most > self.limit_bytes:
                return None
        elif later.total > 0 or most > QUIET_BYTES:
            return None
        early = [
            each
            for run, each in zip(self.series.numbers, self.series.left, strict=True)
            if run < later.numbers[0]
        ]
        bound = f"at most {readable(most)} a run" + ("" if self.is_exact else " (at 99 %)")
        if sum(early) <= max(self.limit_bytes, 4 * most) * len(early):
            return "steady", (f"{later.words} left nothing behind that matters: {bound}",)
        newest = max(
            run
            for run, each in zip(self.series.numbers, self.series.left, strict=True)
            if each > 0 and run < later.numbers[0]
        )
        return "bounded growth", (
            f"what runs 1 to {newest} left is still there: {readable(sum(early))}",
            f"{later.words} added {bound}: warm-up, or a step",
        )

    def dies_out(self) -> tuple[Kind, tuple[str, ...]] | None:
        """Answer where runs leave less and less."""
        fall = _fall(self.seen, Z_EXCLUDED, self.seen.scatter)
        first, _, last = self.measured.thirds()
        if fall is None or fall[0] < DYING_OUT or _exceeds(last, first, HALF, -Z_EXCLUDED / 2):
            return None
        return "bounded growth", (
            (
                f"runs leave less and less: {readable(first.mean)} each in {first.words}, "
                f"{readable(last.mean)} in {last.words}"
            ),
            "a table or a cache that fills, or what is loaded when it is first needed",
        )

    def let_go(self) -> tuple[Kind, tuple[str, ...]] | None:
        """Answer where old runs left nothing that is still there, though all that recent ones made is."""
        if keeps_all(self.site):
            return None
        start = self.starts_late(Z_EXCLUDED)
        recent = [
            each
            for run, each in zip(self.series.numbers, self.series.left, strict=True)
            if run > max(start, self.runs.last // 2)
        ]
        alive = sum(self.site.weights)
        if not start or not recent or not self.site.late_bytes:
            return None
        left_if_all = sum(recent) / len(recent) * self.runs.last
        if not left_if_all / WHOLE <= alive + self.site.late_bytes <= left_if_all * WHOLE:
            return None
        return "bounded growth", (
            f"runs 1 to {start} left next to nothing that is still there; later ones do",
            (
                f"of {readable(alive + self.site.late_bytes)} that outlived its run {readable(alive)} is "
                "alive: it is let go after a while"
            ),
            "a cache at its limit, or garbage that is collected now and then",
        )

    def starts_late(self, z: float) -> int:
        """Return the last of the oldest runs that left next to nothing; 0 if they may well be a leak's."""
        left = self.series.left
        total = sum(left)
        best = 0
        before = 0.0
        for place, each in enumerate(left):
            if before <= total * NEARLY_NONE * place / len(left):
                rest = left[place:]
                # What a run leaves, or whether it does, is as in the others: how unlikely is such a row?
                chance = (sum(value > 0 for value in rest) + 0.5) / (len(rest) + 1)
                if place * -math.log1p(-chance) > -math.log(math.erfc(z / math.sqrt(2)) / 2):
                    best = place
            before += each
        return self.series.numbers[best - 1] if best else 0

    def doubts(self) -> tuple[str, ...]:
        """Return why this may be no leak; nothing if it must be one."""
        measured, (first, _, last) = self.measured, self.measured.thirds()
        found = []
        if measured.leaving < LEAVING_LEAST:
            found.append(
                f"of the {len(measured.numbers)} runs from {measured.numbers[0]} to "
                f"{measured.numbers[-1]} only {measured.leaving} show survivors"
            )
        empty = [each for each in (*self.seen.thirds()[:2], last) if not each.total]
        found += [f"no survivor of {each.words}" for each in empty]
        if not found and _events(measured, 0.0) < EVENTS_LEAST:
            found.append("a few large blocks make up most of it")
        if not found and self.certain <= self.limit_bytes:
            found.append(f"it may be less than {readable(self.limit_bytes)} a run")
        if found:
            return tuple(found)
        fall = self.fall()
        falls = fall is not None and _falls(fall)
        if (
            not _exceeds(last, first, HALF, -Z_UNLIKELY)
            or (falls and not _stays_up(measured))
            or (self.runs.last < SOME_RUNS and not (_stays_up(measured) and self.stayed_up()))
        ):
            return ("later runs may leave less than earlier ones: it may come to an end",)
        return () if keeps_all(self.site) else self.doubts_of_mixed(first, last, fall)

    def stayed_up(self) -> bool:
        """Return whether runs leave as much as those of warm-up; a table that one of these grew apart."""
        then, _, now = (median(each.left) for each in self.seen.thirds())
        return now >= ALIKE * then if self.is_exact and then > 0 else _stays_up(self.seen)

    def fall(self) -> tuple[float, float] | None:
        """Return how what runs leave falls, by bounds that depend on how well that can be seen."""
        seen = self.seen
        if self.runs.last < MANY_RUNS:
            return _fall(seen, Z_SUSPECTED, seen.scatter)
        if self.measured.leaving >= MANY_LEAVING:
            return _fall(seen, Z99, seen.roughness)
        # Of few samples it says more which runs show any, the very first included: that is what it hangs on.
        settled = _between(self.series, 0, self.measured.numbers[-1])
        whether = _Stretch(settled.numbers, [float(each > 0) for each in settled.left])
        return _fall(whether, Z_UNLIKELY, whether.scatter)

    def doubts_of_mixed(
        self, first: _Stretch, last: _Stretch, fall: tuple[float, float] | None
    ) -> tuple[str, ...]:
        """Return why old runs may be losing survivors: where some blocks die, that must be excluded."""
        if start := self.starts_late(Z99):
            return (f"runs 1 to {start} left next to nothing: it began then, or older survivors are let go",)
        if fall is not None and fall[1] < -THINNING:
            return ("old runs left less than recent ones: it grows, or survivors are let go with time",)
        if not (_exceeds(first, last, ALIKE, Z99) and _exceeds(last, first, HALF, Z99)):
            why = "some of what outlives its run dies later, and too little is left to tell"
            return (f"{why} whether old runs keep theirs",)
        return ()

    def why_leak(self) -> tuple[str, ...]:
        measured, (first, _, last) = self.measured, self.measured.thirds()
        kept = (
            "nothing that outlived its run was let go later"
            if keeps_all(self.site)
            else "old runs keep as much as new"
        )
        reasons = [
            (
                f"{measured.leaving} of {len(measured.numbers)} settled runs ({measured.words[5:]}) show "
                f"survivors, old ones as new; {kept}"
            ),
            f"{readable(first.mean)} a run in {first.words}, {readable(last.mean)} in {last.words}",
            f"more than {readable(self.certain)} a run at 99 %",
        ]
        if _exceeds(last, first, 1 / ALIKE, Z_EXCLUDED):
            reasons.append("it leaves more from run to run")
        return tuple(reasons)

    def more_runs(self) -> int:
        """Return how many more runs may settle it: enough to show survivors in as many as a leak takes."""
        leaving = max(1, self.measured.leaving)
        times = max(2.0, 2.2 * LEAVING_LEAST / leaving)
        return math.ceil(self.runs.last * (min(times, 4.0) - 1))


def warm_up(last: int) -> int:
    """Return the last run of warm-up, of so many."""
    return _borders(last)[1]


def _borders(last: int) -> tuple[int, int, int]:
    """Return the last run of the very first, the last of warm-up, and the last that is settled."""
    unsettled = max(UNSETTLED_LEAST, math.ceil(last * UNSETTLED_SHARE))
    return max(1, math.ceil(last * FIRST_SHARE)), min(WARM_UP, last // 3), last - unsettled


def _series(site: SiteSurvivors, runs: Runs) -> _Stretch:
    left = [0.0] * (runs.last + 1)
    for run, weight in zip(site.runs, site.weights, strict=True):
        left[run] += weight
    numbers = [run for run in range(1, runs.last + 1) if run not in runs.open]
    return _Stretch(numbers, [left[run] for run in numbers])


def _between(series: _Stretch, after: int, end: int) -> _Stretch:
    places = [place for place, run in enumerate(series.numbers) if after < run <= end]
    return series.part(places[0], places[-1] + 1) if places else _Stretch((), ())


def _sampling_variance(site: SiteSurvivors, after: int, end: int) -> float:
    return sum(
        variance for run, variance in zip(site.runs, site.variances, strict=True) if after < run <= end
    )


def _events(stretch: _Stretch, noise: float) -> float:
    """Return how many equal blocks, Poisson-distributed, would scatter as this does; infinite if it doesn't.

    Scatter from run to run counts sampling, how much runs differ, and how often they leave anything, all in
    one (a compound Poisson sum by its first two moments, as Fay and Feuer have it).
    """
    variance = max(noise, stretch.scatter * len(stretch.left))
    return stretch.total**2 / variance if variance > 0 else math.inf


def _bounds(measured: _Stretch, noise: float, runs: Runs) -> tuple[Estimate, float]:
    """Return what a run leaves with its 95 % interval, and the lower bound at 99 %."""
    mean, degrees = measured.mean, len(measured.left) - 1
    events = _events(measured, noise)
    high = _high(measured, runs, student(Z95, degrees), noise)
    if not mean or math.isinf(events):
        return Estimate(mean, mean, high), mean
    low, certain = (mean * poisson_low(events, student(z, degrees)) / events for z in (Z95, Z99))
    return Estimate(mean, low, high), certain


def _high(stretch: _Stretch, runs: Runs, z: float, noise: float = 0.0) -> float:
    """Return the upper bound of what a run leaves."""
    if not stretch.total:  # the smallest that would be seen stands for one interval
        return (
            0.0 if runs.interval_bytes <= 1 else poisson_high(0, z) * runs.interval_bytes / len(stretch.left)
        )
    events = _events(stretch, noise)
    return stretch.mean * (1.0 if math.isinf(events) else poisson_high(events, z) / events)


def _exceeds(one: _Stretch, other: _Stretch, share: float, z: float) -> bool:
    """Return whether runs of `one` leave more than `share` of what those of `other` do, by `z` deviations.

    z above zero: that is certain; below: it can't be excluded.
    """
    both = _Stretch((*one.numbers, *other.numbers), (*one.left, *other.left))
    within = (one.scatter * len(one.left) + other.scatter * len(other.left)) / len(both.left)
    # A few runs may be alike by chance, or show nothing: they scatter as their share of both would.
    scale = 1 / both.mean if both.total else 0.0
    least = both.scatter * min(one.mean, other.mean) * scale
    variance = max(one.scatter, within * one.mean * scale, least) / len(one.left)
    variance += share**2 * max(other.scatter, within * other.mean * scale, least) / len(other.left)
    degrees = len(both.left) - 2
    return one.mean - share * other.mean > math.copysign(
        student(abs(z), degrees) * math.sqrt(variance), z
    ) or (variance == 0 and one.mean >= share * other.mean)


def _fall(stretch: _Stretch, z: float, variance: float) -> tuple[float, float] | None:
    """Return the bounds of a, if runs leave as run^-a: by least squares on the logarithm of the run.

    None if nothing is left. `variance`: of what a single run leaves.
    """
    if not stretch.total:
        return None
    logs = [math.log(run) for run in stretch.numbers]
    middle, mean = sum(logs) / len(logs), stretch.mean
    spread = sum((x - middle) ** 2 for x in logs)
    slope = sum((x - middle) * (y - mean) for x, y in zip(logs, stretch.left, strict=True)) / spread
    error = student(z, len(logs) - 2) * math.sqrt(variance / spread)
    return (-slope - error) / mean, (-slope + error) / mean


def _stays_up(stretch: _Stretch) -> bool:
    first, _, last = stretch.thirds()
    return _exceeds(last, first, ALIKE, Z99)


def _falls(bounds: tuple[float, float]) -> bool:
    return bounds[0] > 0 and sum(bounds) / 2 > THINNING


def _too_few(measured: _Stretch, runs: Runs, blocks: float) -> Trend:
    mean = measured.mean if measured.numbers else 0.0
    if len(measured.numbers) < MEASURED_LEAST:
        more = max(1, RUNS_LEAST - runs.last) + len(runs.open)
        why = f"{runs.ended} runs have ended; it takes {RUNS_LEAST}, settled, to say anything"
    else:
        more = runs.last
        why = f"{runs.untracked} runs have not ended, and it is not known which: too many were open at a time"
    return Trend(
        "not enough data", Estimate(mean, 0.0, math.inf), 0.0, blocks, len(measured.numbers), (why,), more
    )
