"""Before and after: what outlives a run of each, what they peak at and take, and whether that is a fix."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import TYPE_CHECKING, Literal, get_args

from outlive.diagnose import lines
from outlive.diagnose.growth import LIMIT_BYTES, QUIET_BYTES, RUNS_LEAST, judge
from outlive.diagnose.survivors import survivors, together
from outlive.model.estimate import Estimate
from outlive.model.size import readable

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from outlive.diagnose.growth import Kind
    from outlive.diagnose.survivors import ScopeSurvivors, SiteSurvivors
    from outlive.model.recording import Recording

Change = Literal["not fixed", "better, not fixed", "not enough data", "fixed", "nothing to fix"]
CHANGES: tuple[Change, ...] = get_args(Change)  # what is worst first

LIMIT_DEFAULT_BYTES = QUIET_BYTES  # a run
_INNOCENT = ("steady", "bounded growth")
_RUNS_MORE_MAX = 10_000
_SPARE = 1.1  # of runs that are asked for: the next ones won't be quite as these


@dataclass(frozen=True, slots=True)
class ScopeOutcome:
    """What became of the runs of a scope; `runs` have ended, in each round.

    `per_run` is what each leaves for good; its upper bound is infinite where too few ran to tell.
    `more_runs`: about so many more would tell, 0 where that is not the trouble.
    """

    name: str
    runs: int
    kind: Kind
    per_run: Estimate
    reasons: tuple[str, ...] = ()
    more_runs: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one execution of a program came to; None where it isn't known. Peaks are over the beginning."""

    scopes: Mapping[str, ScopeOutcome]
    peak_rss_bytes: int | None = None
    peak_python_bytes: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure of each round: the middle one, the least and the most."""

    middle: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Side:
    """Before, or after: all rounds of it."""

    scopes: Mapping[str, ScopeOutcome]
    peak_rss_bytes: Spread | None
    peak_python_bytes: Spread | None
    seconds: Spread | None


@dataclass(frozen=True, slots=True)
class ScopeChange:
    """A scope before and after; `reason` is a sentence, `more_runs` as in ScopeOutcome."""

    name: str
    verdict: Change
    before: ScopeOutcome | None
    after: ScopeOutcome | None
    reason: str
    more_runs: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether it is fixed, and by which figures; `limit_bytes` is what a run may leave."""

    verdict: Change
    before: Side
    after: Side
    scopes: tuple[ScopeChange, ...]
    limit_bytes: float


def outcome(recording: Recording, limit_bytes: float = LIMIT_DEFAULT_BYTES) -> Outcome:
    """Return what a recording tells; peaks by its timeline, which is looked at once a second."""
    points = recording.timeline
    base = next((point.rss for point in points if point.rss), None)
    return Outcome(
        {scope.name: _scope(scope, limit_bytes) for scope in survivors(recording)},
        _rise(base, (size for point in points for size in (point.rss, point.rss_peak))),
        _rise(
            next((point.python_in_use for point in points if point.python_in_use), None),
            (point.python_in_use for point in points),
        ),
        points[-1].uptime if points else None,
    )


def pooled(rounds: Sequence[Outcome]) -> Side:
    """Return the rounds of one side as one."""
    by_name: dict[str, list[ScopeOutcome]] = defaultdict(list)
    for each in rounds:
        for name, scope in each.scopes.items():
            by_name[name].append(scope)
    return Side(
        {name: _pooled(scopes) for name, scopes in by_name.items()},
        _spread([each.peak_rss_bytes for each in rounds]),
        _spread([each.peak_python_bytes for each in rounds]),
        _spread([each.seconds for each in rounds]),
    )


def compare(
    before: Side, after: Side, limit_bytes: float = LIMIT_DEFAULT_BYTES, scope: str = ""
) -> Comparison:
    """Return whether what leaked before leaks no more.

    Fixed: a leak before, with the lower bound above the limit, and after it the upper bound below. Where the
    bounds don't tell, it is not enough data.

    Args:
        before: the program as it was.
        after: the program as it is to be.
        limit_bytes: what a run may leave.
        scope: the only one to look at; "" for all.

    """
    names = dict.fromkeys([*before.scopes, *after.scopes]) if not scope else {scope: None}
    changes = [_change(name, before.scopes.get(name), after.scopes.get(name), limit_bytes) for name in names]
    verdict = _verdict(changes, limit_bytes)
    # First what the verdict is of, then what is worst.
    changes.sort(key=lambda change: (change.verdict != verdict, CHANGES.index(change.verdict)))
    return Comparison(verdict, before, after, tuple(changes), limit_bytes)


def _scope(scope: ScopeSurvivors, limit_bytes: float) -> ScopeOutcome:
    limit = min(limit_bytes, LIMIT_BYTES)
    trend = judge(scope.whole, scope.runs, limit)
    kind = trend.kind
    # What warms up, or comes and goes, may hide in the whole what one line leaks.
    if kind != "leak" and any(judge(line, scope.runs, limit).kind == "leak" for line in _lines(scope)):
        kind = "leak"
    per_run, reasons, more = trend.per_run, trend.reasons, trend.runs_needed
    if kind == "not enough data" and scope.runs.ended < RUNS_LEAST:
        per_run, more = replace(per_run, low=0.0, high=math.inf), RUNS_LEAST - scope.runs.ended
        reasons = (f"{scope.runs.ended} runs have ended; it takes {RUNS_LEAST} to say anything",)
    return ScopeOutcome(scope.name, scope.runs.ended, kind, per_run, reasons, more)


def _lines(scope: ScopeSurvivors) -> Iterable[SiteSurvivors]:
    by_line: dict[Hashable, list[SiteSurvivors]] = defaultdict(list)
    for site in scope.sites:
        frame = lines.own_frame(site.frames)
        by_line[frame and (frame.file, frame.line)].append(site)
    return map(together, by_line.values())


def _rise(base: int | None, sizes: Iterable[int | None]) -> int | None:
    return None if base is None else max(0, max(size for size in sizes if size is not None) - base)


def _spread(figures: Iterable[float | None]) -> Spread | None:
    known = [each for each in figures if each is not None]
    return Spread(median(known), min(known), max(known)) if known else None


def _pooled(rounds: Sequence[ScopeOutcome]) -> ScopeOutcome:
    """Return the rounds of a scope as one, the bounds of the mean by Zou and Donner.

    "Construction of confidence intervals about effect measures", 2008: distances from the estimate to a bound
    add up as standard deviations do.
    """
    kind = _common_kind({each.kind for each in rounds})
    mean = fmean(each.per_run.estimate for each in rounds)
    lower = math.hypot(*(each.per_run.estimate - each.per_run.low for each in rounds)) / len(rounds)
    upper = math.hypot(*(each.per_run.high - each.per_run.estimate for each in rounds)) / len(rounds)
    per_run = Estimate(mean, max(0.0, mean - lower), mean + upper)
    reasons = next((each.reasons for each in rounds if each.kind == kind), ())
    if kind is None:
        kind, per_run = "not enough data", Estimate(mean, 0.0, math.inf)
        reasons = ("some rounds leak and some do not",)
    return ScopeOutcome(
        rounds[0].name,
        min(each.runs for each in rounds),
        kind,
        per_run,
        reasons,
        max(each.more_runs for each in rounds),
    )


def _common_kind(kinds: set[Kind]) -> Kind | None:
    """Return what rounds come to; None if they contradict each other."""
    if len(kinds) == 1:
        return next(iter(kinds))
    if "leak" in kinds:
        return "leak" if kinds == {"leak", "not enough data"} else None
    return "not enough data" if "not enough data" in kinds else "bounded growth"


def _change(name: str, before: ScopeOutcome | None, after: ScopeOutcome | None, limit: float) -> ScopeChange:
    if before is None or after is None:
        sides = " and ".join(side for side, it in (("before", before), ("after", after)) if it is None)
        if after is not None and _state(after, limit) == "leaks":
            return ScopeChange(name, "not fixed", before, after, f"it leaks after, with no run of it {sides}")
        return ScopeChange(name, "not enough data", before, after, f"no run of it {sides}")
    verdict, reason = _judged(before, after, limit)
    more = 0
    if verdict == "not enough data":
        unknown = [after, *([] if _leaked(before, limit) else [before])]
        more = max(_more_runs(each, limit) for each in unknown if _state(each, limit) == "unknown")
    return ScopeChange(name, verdict, before, after, reason, more)


def _judged(before: ScopeOutcome, after: ScopeOutcome, limit: float) -> tuple[Change, str]:
    was, now = _state(before, limit), _state(after, limit)
    if _leaked(before, limit):
        return _judged_leak(before, after, now)
    if now == "leaks":
        return "not fixed", f"it leaks after: at least {readable(after.per_run.low)} a run"
    if was == "unknown":
        return "not enough data", f"whether it leaked before is not known: {_doubt(before)}"
    if now == "unknown":
        return "not enough data", f"it did not leak before; after, {_doubt(after)}"
    return "nothing to fix", f"it did not leak before: {_bound(before)}"


def _judged_leak(before: ScopeOutcome, after: ScopeOutcome, now: str) -> tuple[Change, str]:
    at_least, at_most = readable(before.per_run.low), _bound(after)
    if now == "clean" and after.kind != "leak":
        return "fixed", f"at least {at_least} a run outlived it; now {at_most}"
    if now == "unknown":
        return "not enough data", f"at least {at_least} a run outlived it; now, {_doubt(after)}"
    if after.per_run.high < before.per_run.low:
        return "better, not fixed", f"it leaks still: {_bound(after)}, after at least {at_least}"
    return "not fixed", f"it leaks as it did: at least {readable(after.per_run.low)} a run"


def _leaked(before: ScopeOutcome, limit: float) -> bool:
    """Return whether runs left more than the limit, where that is not known to have come to an end."""
    return before.kind not in _INNOCENT and before.per_run.low > limit


def _state(side: ScopeOutcome, limit: float) -> Literal["leaks", "clean", "unknown"]:
    """Return what is certain; a leak that is below the limit is clean here."""
    if side.kind == "leak" and side.per_run.low > limit:
        return "leaks"
    return "clean" if side.kind in _INNOCENT or side.per_run.high < limit else "unknown"


def _bound(side: ScopeOutcome) -> str:
    if side.per_run.high < math.inf and side.kind != "bounded growth":
        return f"at most {readable(side.per_run.high)} a run"
    return f"{side.kind}: {side.reasons[0]}" if side.reasons else side.kind


def _doubt(side: ScopeOutcome) -> str:
    if side.kind == "not enough data" and side.reasons:
        return side.reasons[0]
    return f"it is between {readable(side.per_run.low)} and {readable(side.per_run.high)} a run"


def _more_runs(side: ScopeOutcome, limit: float) -> int:
    """Return about how many more runs it takes: bounds close in with their root, those of nothing at once."""
    estimate, high = side.per_run.estimate, side.per_run.high
    if side.kind == "not enough data" and estimate < limit < high < math.inf:
        times = high / limit if not estimate else ((high - estimate) / (limit - estimate)) ** 2
        return min(_RUNS_MORE_MAX, math.ceil(side.runs * (times * _SPARE - 1)))
    return side.more_runs or side.runs


def _verdict(changes: Sequence[ScopeChange], limit: float) -> Change:
    """Return what scopes come to: the worst, where all that leaked before counts, or leaks after."""
    verdicts = {change.verdict for change in changes if not _is_unheard_of(change, limit)}
    worst: Change = next((verdict for verdict in CHANGES if verdict in verdicts), "not enough data")
    if worst == "nothing to fix" and any(change.verdict == "not enough data" for change in changes):
        return "not enough data"
    return worst


def _is_unheard_of(change: ScopeChange, limit: float) -> bool:
    """Return whether nothing is known of a scope: of one with three runs, neither a leak nor its end."""
    leaked = change.before is not None and _leaked(change.before, limit)
    return change.verdict == "not enough data" and not leaked
