"""Verdicts on the process as a whole: memory that nobody holds, or held once, or that is not Python's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from outlive.diagnose.growth import judge
from outlive.diagnose.statistics import Z99, Slope, block_minima, mann_kendall, theil_sen
from outlive.diagnose.survivors import only_from_malloc
from outlive.model.size import MIB, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outlive.diagnose.survivors import ScopeSurvivors
    from outlive.model.breakdown import Breakdown
    from outlive.model.recording import Point, Recording

Kind = Literal["allocator retention", "peak bloat", "native growth", "steady", "not enough data"]

MATTERS_BYTES = 32 * MIB  # any process has some of each: what freeing it gives must be worth the words
PEAK_MATTERS_BYTES = 16 * MIB  # a peak is of one moment, and streaming takes it away
RETAINED_SHARE = 1 / 2  # of the gap between RSS and what is in use: most of it lies free in allocators
BLOATED = 4  # times what is left: a peak of three times is a busy moment, and caches come to less
WARM_UP_SHARE = 1 / 3  # of the timeline: imports, pools and arenas come first
POINTS_LEAST = 12  # with fewer, no order of them is rarer than one in a hundred by enough
MINIMA_MOST = 24  # blocks; more would follow a sawtooth's teeth
# Of what malloc had in use: the estimate of Python's part, taken off it, wavers by as much.
GROWTH_SHARE = 1 / 20
LATER_SHARE = 1 / 2  # the second half grows at least so much as fast as the first


@dataclass(frozen=True, slots=True)
class ProcessVerdict:
    """One verdict on the process, or on one scope's peak (`scope` is "" for the process).

    `size_bytes` is what the verdict is about: free in allocators, peak above what is left, grown since
    warm-up; 0 where there is none. `slope` is in bytes a second, with its bounds at 99 %.
    """

    kind: Kind
    scope: str
    size_bytes: float
    reasons: tuple[str, ...]
    slope: Slope | None = None


def verdicts(recording: Recording, scopes: Sequence[ScopeSurvivors]) -> list[ProcessVerdict]:
    """Return what is the matter with the process, what is worth most first; `scopes` are its survivors.

    If nothing is, one verdict: that it is steady, or that it can't be told.
    """
    asked = [retention(recording), process_peak(recording), native_growth(recording, scopes)]
    found = [each for each in asked if each.kind not in ("steady", "not enough data")]
    found += [
        each for each in (scope_peak(recording, scope) for scope in scopes) if each.kind == "peak bloat"
    ]
    if found:
        return sorted(found, key=lambda each: each.size_bytes, reverse=True)
    unknown = [each for each in asked if each.kind == "not enough data"]
    kind: Kind = "not enough data" if unknown else "steady"
    return [ProcessVerdict(kind, "", 0, tuple(why for each in unknown or asked for why in each.reasons))]


def retention(recording: Recording) -> ProcessVerdict:
    """Return whether little is alive while allocators keep what was freed."""
    parts = recording.breakdown
    if parts is None or parts.python_free is None or parts.malloc_free is None:
        return _unknown("what allocators hold free is not known: outlive measures it within the process")
    free = parts.python_free + parts.malloc_free
    in_use = _in_use(parts)
    gap = parts.rss - in_use
    figures = (
        f"RSS is {readable(parts.rss)}, of which {readable(in_use)} is in use",
        (
            f"{readable(free)} is free: malloc has {readable(parts.malloc_free)}, which trimming gives back, "
            f"Python {readable(parts.python_free)}, in arenas that something still lives in"
        ),
    )
    if free >= max(MATTERS_BYTES, in_use, RETAINED_SHARE * gap):
        return ProcessVerdict("allocator retention", "", free, figures)
    return ProcessVerdict("steady", "", 0, figures)


def process_peak(recording: Recording) -> ProcessVerdict:
    """Return whether RSS was far above what is in use now."""
    parts = recording.breakdown
    peaks = [each for point in recording.timeline for each in (point.rss_peak, point.rss) if each is not None]
    if parts is None or parts.python_in_use is None or not peaks:
        return _unknown("how high RSS was, or what of it is in use, is not known")
    # Code and files were there at the peak as they are now.
    left = _in_use(parts) + parts.file + parts.stacks
    return _peak("", "RSS", max(peaks), left)


def scope_peak(recording: Recording, scope: ScopeSurvivors) -> ProcessVerdict:
    """Return whether runs of a scope held far more at a time than they leave."""
    if not scope.runs.ended:
        return _unknown("no run has ended", scope.name)
    row = recording.scopes[scope.scope]
    return _peak(scope.name, "runs in progress", row.high_bytes, row.in_use_bytes)


def native_growth(recording: Recording, scopes: Sequence[ScopeSurvivors]) -> ProcessVerdict:
    """Return whether what malloc gave to others than Python grows on and on.

    Told by the timeline; or, where `--native` sampled malloc, by which runs its blocks outlive.
    """
    for scope in scopes:
        site = only_from_malloc(scope.whole)
        trend = judge(site, scope.runs)
        if trend.kind == "leak":
            why = f"extensions took it from malloc: {readable(trend.per_run.estimate)} a run outlives it"
            return ProcessVerdict("native growth", scope.name, site.in_use.estimate, (why, *trend.reasons))
    if recording.breakdown is not None and recording.breakdown.python_large is None:
        return _unknown("Python's large blocks can't be told from those of extensions: nothing samples them")
    return _by_timeline(recording.timeline)


def _by_timeline(timeline: Sequence[Point]) -> ProcessVerdict:
    known = [(point.uptime, point.malloc_in_use) for point in timeline if point.malloc_in_use is not None]
    settled = known[int(len(known) * WARM_UP_SHARE) :]
    if len(settled) < POINTS_LEAST:
        return _unknown(
            f"malloc was looked at {len(settled)} times after warm-up; it takes {POINTS_LEAST} to see a trend"
        )
    times, sizes = block_minima(
        [time for time, _ in settled], [size for _, size in settled], min(MINIMA_MOST, len(settled))
    )
    trend, slope = mann_kendall(sizes), theil_sen(times, sizes)
    half = len(times) // 2
    first, second = theil_sen(times[:half], sizes[:half]), theil_sen(times[half:], sizes[half:])
    seconds = times[-1] - times[0]
    grown = slope.slope * seconds
    least = slope.low * seconds
    if trend.z < Z99 or least <= 0:
        why = f"what malloc has in use for others than Python shows no trend over {seconds:,.0f} s"
        return ProcessVerdict("steady", "", 0, (why,), slope)
    if second.slope < LATER_SHARE * first.slope or grown < max(MATTERS_BYTES / 4, GROWTH_SHARE * sizes[0]):
        why = f"what malloc has in use grew by {readable(grown)} in {seconds:,.0f} s, little or less and less"
        return ProcessVerdict("steady", "", 0, (why,), slope)
    reasons = (
        (
            f"what malloc has in use for others than Python grew by {readable(grown)} in {seconds:,.0f} s, "
            f"at least {readable(least)} at 99 %"
        ),
        "it grew in the second half as in the first",
    )
    return ProcessVerdict("native growth", "", grown, reasons, slope)


def _peak(scope: str, what: str, peak: float, left: float) -> ProcessVerdict:
    figures = (f"{what} came to {readable(peak)} at most, {readable(left)} is in use now",)
    if peak - left >= PEAK_MATTERS_BYTES and peak >= BLOATED * left:
        return ProcessVerdict("peak bloat", scope, peak - left, figures)
    return ProcessVerdict("steady", scope, 0, figures)


def _in_use(parts: Breakdown) -> int:
    return (parts.python_in_use or 0) + (parts.malloc_in_use or 0)


def _unknown(why: str, scope: str = "") -> ProcessVerdict:
    return ProcessVerdict("not enough data", scope, 0, (why,))
