"""Findings: what survives of each scope, who holds it, and the verdict that follows."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from outlive import rules
from outlive.diagnose import lines, process
from outlive.diagnose.growth import LIMIT_BYTES, judge_together
from outlive.diagnose.held import GARBAGE, Line, lines_of
from outlive.diagnose.survivors import ScopeSurvivors, only_from_malloc, survivors, together
from outlive.model.finding import VERDICTS, Finding
from outlive.rules.rule import Evidence

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from outlive.diagnose.growth import Trend
    from outlive.diagnose.process import ProcessVerdict
    from outlive.diagnose.survivors import SiteSurvivors
    from outlive.heap.blocks import Blocks
    from outlive.model.finding import Confidence, Verdict
    from outlive.model.recording import Recording
    from outlive.rules.rule import Match

_COMPARABLE = 1 / 3  # of the survivors of the line with most: any of those may be the one to name
_ABOUT_AS_MUCH = 1 / 2
_SAYS_LITTLE = (True, math.inf)
_MOSTLY = 0.5
_NAMED = 3
_STRETCHES = 24  # of runs, in the picture of what they left
_MAY_LEAK = ("leak", "not enough data")
_NOTHING = ("steady", "not enough data")  # of the process as a whole: worth a word if there is no other


def findings(
    recording: Recording, blocks: Blocks | None = None, limit_bytes: float = LIMIT_BYTES
) -> list[Finding]:
    """Return the verdicts on each scope of a recording, what is worst first.

    Args:
        recording: of the process.
        blocks: of a heap snapshot of it, taken at nearly the same moment; without, nobody can tell who holds
            what survives.
        limit_bytes: a run; a leak leaves more than this.

    """
    scopes = survivors(recording)
    found = [
        one
        for scope in scopes
        for one in _of_scope(
            scope, blocks, [other.name for other in scopes if other is not scope], limit_bytes
        )
    ]
    if not any(scope.runs.ended for scope in scopes):
        why = "no scope was named, so it is not known what outlives the work that made it"
        cure = 'name the unit of work: with outlive.scope("export"): …, or outlive run --scope'
        found.append(unknown(why, cure))
    whole = [_of_process(verdict, scopes) for verdict in process.verdicts(recording, scopes)]
    found += [one for one in whole if one.verdict not in _NOTHING or not found]
    return sorted(found, key=_worst_first)


def _of_process(verdict: ProcessVerdict, scopes: Iterable[ScopeSurvivors]) -> Finding:
    """Return a verdict on the process as a whole, or on the peak of a scope."""
    runs = next((scope.runs.ended for scope in scopes if scope.name == verdict.scope), 0)
    match = rules.match(Evidence(verdict.scope, runs, ()), verdict.kind)
    return Finding(
        verdict=verdict.kind,
        confidence="unknown" if verdict.kind == "not enough data" else "certain",
        scope=verdict.scope,
        runs=runs,
        per_run_bytes=None,
        certain_bytes=0.0,
        in_use_bytes=verdict.size_bytes,
        site=None,
        type="",
        objects_per_run=0.0,
        holder="",
        rule=match.rule.number if match else "",
        reasons=(match.reason, *verdict.reasons) if match else verdict.reasons,
        cure=match.rule.cure if match else "",
    )


def unknown(why: str, cure: str) -> Finding:
    """Return what to say of a process about which nothing can be said."""
    nothing = ("", 0, None, 0.0, 0.0, None, "", 0.0, "", "")
    return Finding("not enough data", "unknown", *nothing, (why,), cure)


def is_worth_a_snapshot(recording: Recording) -> bool:
    """Return whether anything survived whose holder would be looked for."""
    return any(scope.sites for scope in survivors(recording))


def _of_scope(
    scope: ScopeSurvivors, blocks: Blocks | None, others: Sequence[str], limit_bytes: float
) -> list[Finding]:
    """Return a finding for each point where a leak accumulates; without any, one on the scope as a whole."""
    large, small = lines_of(scope, blocks)
    groups: dict[Hashable, list[Line]] = defaultdict(list)
    for line in large:
        groups[line.point].append(line)
    if len(groups) == 1:  # what is too small to be asked about is most likely held with it
        next(iter(groups.values())).extend(small)
    found = []
    for group in groups.values():
        stacks = [site for line in group for site in line.sites]
        site, trend = together(stacks), judge_together(stacks, scope.runs, limit_bytes)
        if trend.kind == "leak":
            first = _telling(scope, group, limit_bytes)
            found.append(_finding(scope, site, trend, first, blocks, others))
    if not found:
        trend = judge_together(scope.sites, scope.runs, limit_bytes)
        first = large[0] if large else Line((), scope.whole)
        found.append(_finding(scope, scope.whole, trend, first, blocks, others))
    return found


def _finding(  # noqa: PLR0913, PLR0917 - what a finding is made of
    scope: ScopeSurvivors,
    site: SiteSurvivors,
    trend: Trend,
    first: Line,
    blocks: Blocks | None,
    others: Sequence[str],
) -> Finding:
    own = lines.own_frame(first.site.frames)
    verdict, match, reasons = _verdict(scope, site, trend, first)
    confidence: Confidence = "unknown" if verdict == "not enough data" else "certain"
    if verdict == "leak" and not first.holders:
        confidence = "likely"
        reasons = (*reasons, _unasked(blocks))
    if verdict == "leak" and first.recycled > _MOSTLY and others:
        confidence = "likely"
        reasons = (*reasons, _recycled(first.types[0], others))
    reasons += _labelled(scope)
    if trend.runs_needed:
        reasons = (
            *reasons,
            f"it takes about {trend.runs_needed:,} more runs, or more where little is left of each",
        )
    return Finding(
        verdict=verdict,
        confidence=confidence,
        scope=scope.name,
        runs=scope.runs.ended,
        per_run_bytes=trend.per_run if math.isfinite(trend.per_run.high) else None,
        certain_bytes=trend.certain_bytes,
        in_use_bytes=site.in_use.estimate,
        site=lines.place(own),
        type=first.types[0] if first.types else "",
        objects_per_run=trend.blocks_per_run
        * first.share
        * sum(first.site.blocks)
        / (sum(site.blocks) or 1.0),
        holder=first.holders[0].text if first.holders else "",
        rule=match.rule.number if match else "",
        reasons=(match.reason, *reasons) if match and match.reason else reasons,
        cure=match.rule.cure if match else "",
        by_run_bytes=site.by_run(scope.runs.last, _STRETCHES) if len(site.runs) else (),
    )


def _telling(scope: ScopeSurvivors, group: Sequence[Line], limit_bytes: float) -> Line:
    """Return the line to name, of those that may leak much.

    That of the most specific pattern; of those, the one with most, or with about as much that tells more. If
    the one with most has a limit, that one; no other's limit matters.
    """
    known = {rule.number: place for place, rule in enumerate(rules.ALL)}
    matches = [rules.match(_evidence(scope, line)) if line.holders else None for line in group]
    if matches[0] and matches[0].rule.bounded:
        return group[0]
    most = group[0].weight
    best, first = None, group[0]
    for line, match in zip(group, matches, strict=True):
        much = line.weight >= _COMPARABLE * most and not (match and match.rule.bounded)
        if much and judge_together(line.sites, scope.runs, limit_bytes).kind in _MAY_LEAK:
            pattern = known[match.rule.number] if match else len(known)
            tells = line.tells if line.weight >= _ABOUT_AS_MUCH * most else _SAYS_LITTLE
            if best is None or (pattern, *tells) < best:
                best, first = (pattern, *tells), line
    return first


def _evidence(scope: ScopeSurvivors, line: Line) -> Evidence:
    frames = line.site.frames
    sources = tuple(map(lines.source, frames))
    return Evidence(scope.name, scope.runs.ended, frames, line.types, line.holders, sources)


def _verdict(
    scope: ScopeSurvivors, site: SiteSurvivors, trend: Trend, first: Line
) -> tuple[Verdict, Match | None, tuple[str, ...]]:
    """Return the verdict, the pattern that explains it, and the reasons; `first`: the line to name."""
    if trend.kind != "leak":
        return trend.kind, None, trend.reasons
    evidence = _evidence(scope, first)
    if evidence.holders and evidence.holders[0].root.kind == GARBAGE:
        return "cycle garbage", rules.match(evidence, "cycle garbage"), trend.reasons
    native = only_from_malloc(site)
    if sum(native.weights) > _MOSTLY * sum(site.weights):
        return "native growth", rules.match(evidence, "native growth"), trend.reasons
    match = rules.match(evidence)
    if match is not None and match.rule.bounded:
        return "bounded growth", match, trend.reasons
    return "leak", match, trend.reasons


def _recycled(name: str, others: Sequence[str]) -> str:
    return (
        f"it may be another scope's ({', '.join(others[:_NAMED])}): CPython hands the memory of a {name} "
        "that died to the next, and the sampler does not hear of it"
    )


def _labelled(scope: ScopeSurvivors) -> tuple[str, ...]:
    """Return which labels the runs have that leave most, if any stand out."""
    first = scope.labels[0] if scope.labels else None
    if first is None or first.share <= _MOSTLY or first.runs >= _MOSTLY * scope.runs.last:
        return ()
    return (f"{first.share:.0%} of it is of {first.name}, {first.runs:,} of {scope.runs.last:,} runs",)


def _unasked(blocks: Blocks | None) -> str:
    if blocks is None:
        return "no heap snapshot: who holds it is not known, nor whether it waits for the collector"
    return "none of its blocks is an object that the heap snapshot has: who holds it is not known"


def _worst_first(finding: Finding) -> tuple[int, float]:
    return VERDICTS.index(finding.verdict), -finding.in_use_bytes
