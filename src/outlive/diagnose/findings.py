"""Findings: what survives of each scope, who holds it, and the verdict that follows."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from outlive import rules
from outlive.diagnose import lines, process
from outlive.diagnose.growth import LIMIT_BYTES, judge_together, warm_up
from outlive.diagnose.survivors import ScopeSurvivors, only_from_malloc, survivors, together
from outlive.heap.filters import TYPES
from outlive.model.finding import VERDICTS, Finding
from outlive.model.heap import Holder, Root
from outlive.rules.rule import Evidence
from outlive.rules.steps import growing, length

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from outlive.diagnose.growth import Trend
    from outlive.diagnose.process import ProcessVerdict
    from outlive.diagnose.survivors import SiteSurvivors
    from outlive.heap.blocks import Blocks
    from outlive.model.finding import Confidence, Verdict
    from outlive.model.recording import Recording
    from outlive.rules.rule import Match

_LINES_ASKED = 16  # of a scope, those with the most survivors: who holds what they made
_MATTERS = 0.02  # of a scope's survivors: a line with less is not asked about
_MATTERS_ALONE = 0.1  # the same where there is no heap: a line is a finding then
_OWN_TYPE_SHARE = 0.002  # of the objects of a line: a type of the program's own; one row has many values
_COMPARABLE = 1 / 3  # of the survivors of the line with most: any of those may be the one to name
_ABOUT_AS_MUCH = 1 / 2
_SAYS_LITTLE = (True, math.inf)
_OWN_SHARE = 0.2  # of a line's bytes: held by the program's own modules, where a library's hold others
_TYPES_ASKED = 8
_PACKAGES_DEEP = 8  # folders above a file that may be packages
_MOSTLY = 0.5
_NAMED = 3
_STRETCHES = 24  # of runs, in the picture of what they left
_GARBAGE = "garbage"
# What is freed of these waits in a list for the next who asks, and malloc hears nothing of it.
_FREE_LISTED = frozenset(("tuple", "list", "dict", "float"))
_MAY_LEAK = ("leak", "not enough data")
_NOTHING = ("steady", "not enough data")  # of the process as a whole: worth a word if there is no other


@dataclass(frozen=True, slots=True)
class _Line:
    """What one line of the program left behind, by the stacks it was in, and who holds it."""

    sites: tuple[SiteSurvivors, ...]
    site: SiteSurvivors  # of them together
    types: tuple[str, ...] = ()  # the most frequent first
    is_own: bool = False  # whether the first type is the program's own
    share: float = 0.0  # of its blocks, objects of the first type
    recycled: float = 0.0  # of its bytes, those of objects that CPython hands from one owner to the next
    holders: tuple[Holder, ...] = ()

    @property
    def point(self) -> Hashable:
        """Where what it made accumulates: lines with one point have one finding."""
        if not self.holders:
            return self.site.frames[:1]
        first = self.holders[0]
        if first.root.kind == _GARBAGE:
            return _GARBAGE
        at = len(first.path) - 1 if _is_container(first) else growing(first)
        return first.root, first.path[: at if at >= 0 else len(first.path)]

    @property
    def tells(self) -> tuple[bool, float]:
        """How much its type and holder say of what accumulates; less is more.

        Most does a type of the program's own, held directly; least, that what accumulates itself grew.
        """
        first = self.holders[0] if self.holders else None
        depth = math.inf if first is None or _is_container(first) else len(first.path)
        return not self.is_own, depth


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
    large, small = _lines(scope, blocks)
    groups: dict[Hashable, list[_Line]] = defaultdict(list)
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
        first = large[0] if large else _Line((), scope.whole)
        found.append(_finding(scope, scope.whole, trend, first, blocks, others))
    return found


def _lines(scope: ScopeSurvivors, blocks: Blocks | None) -> tuple[list[_Line], list[_Line]]:
    """Return the lines that left something behind, most first: those that matter, and the others."""
    by_line: dict[Hashable, list[SiteSurvivors]] = defaultdict(list)
    for site in scope.sites:
        frame = lines.own_frame(site.frames)
        by_line[frame and (frame.file, frame.line)].append(site)
    made = (_Line(tuple(sites), together(sites)) for sites in by_line.values())
    found = sorted(made, key=_weight, reverse=True)
    least = (_MATTERS if blocks is not None else _MATTERS_ALONE) * sum(map(_weight, found))
    large = [line for line in found[:_LINES_ASKED] if _weight(line) >= least]
    if blocks is None:
        return large, found[len(large) :]
    own = frozenset(part for line in large for part in _packages(line.site))
    return [_asked(line, scope, blocks, own) for line in large], found[len(large) :]


def _asked(line: _Line, scope: ScopeSurvivors, blocks: Blocks, own: frozenset[str]) -> _Line:
    """Return a line with what the heap says of it; `own`: what the program's own types may be from."""
    site = line.site
    warm = warm_up(scope.runs.last)
    if not any(run > warm for run in site.runs):
        warm = 0
    # What the first runs loaded and filled is another matter.
    settled = [place for place, run in enumerate(site.runs) if run > warm]
    addresses = [site.addresses[place] for place in settled]
    found = blocks.objects(addresses)
    rows, heads = found.tolist(), blocks.are_objects(addresses, found).tolist()
    known = sorted({row for row in rows if row >= 0})
    if not known:
        native = not any(site.from_malloc[place] for place in settled)
        return replace(line, holders=(_held_by_native_code(site),)) if native else line
    type_of = dict(zip(known, blocks.types(np.array(known)), strict=True))
    sizes: dict[str, float] = defaultdict(float)
    counts: dict[str, float] = defaultdict(float)
    recycled = 0.0
    for place, row, is_head in zip(settled, rows, heads, strict=True):
        if row >= 0:
            sizes[type_of[row]] += site.weights[place]
            counts[type_of[row]] += site.blocks[place] if is_head else 0.0
            recycled += site.weights[place] if is_head and type_of[row] in _FREE_LISTED else 0.0
    count = sum(site.blocks[place] for place in settled)

    def rank(name: str) -> tuple[bool, float]:
        is_own = name.partition(".")[0] in own and counts[name] >= _OWN_TYPE_SHARE * count
        return not is_own, -sizes[name]

    def held(name: str) -> tuple[Holder, ...]:
        found = blocks.holders(np.array([row for row in known if type_of[row] == name]))
        return tuple(sorted(found, key=_is_container))

    libraries = frozenset(
        filter(None, map(lines.library, (frame for one in line.sites for frame in one.frames)))
    )
    types, holders = _held_by_own(sorted(sizes, key=rank), sizes, held, libraries)
    return replace(
        line,
        types=types,
        is_own=types[0].partition(".")[0] in own,
        share=counts[types[0]] / count,
        recycled=recycled / sum(sizes.values()),
        holders=holders,
    )


def _held_by_own(
    types: Sequence[str],
    sizes: Mapping[str, float],
    held: Callable[[str], tuple[Holder, ...]],
    libraries: frozenset[str],
) -> tuple[tuple[str, ...], tuple[Holder, ...]]:
    """Return the types, and how objects of the first are held.

    If the books of a library or of a class hold those, and the program's own modules a good part of the
    others, one of those is first: books of what there is end with it.
    """
    first = holders = held(types[0])
    if not _is_in_books(first, libraries):
        return tuple(types), first
    best, share = "", 0.0
    for name in types[1:_TYPES_ASKED]:
        others = held(name)
        if others and not _is_in_books(others, libraries) and others[0].root.kind == "module":
            best, holders = (best, holders) if best else (name, others)
            share += sizes[name]
    if not best or share < _OWN_SHARE * sum(sizes.values()):
        return tuple(types), first
    return (best, *(name for name in types if name != best)), holders


def _is_container(holder: Holder) -> bool:
    """Whether the one object held is what accumulates itself, as a table that grew, not a part of it."""
    last = len(holder.path) - 1
    return holder.count == 1 and growing(holder) in {-1, last} and length(holder.path[last]) > 1


def _is_in_books(holders: Sequence[Holder], libraries: frozenset[str]) -> bool:
    """Whether it is held by a library's module, what every class has, or a thread's dict of its variables."""
    if not holders or holders[0].root.kind not in {"module", "thread"}:
        return False
    root, path = holders[0].root, holders[0].path
    if root.kind == "thread":
        return path[1:2] == ("dict",)
    named = {step.lstrip(".") for step in path}
    return root.name.partition(".")[0] in libraries or not named.isdisjoint(TYPES.references)


def _held_by_native_code(site: SiteSurvivors) -> Holder:
    """Return the holder of blocks that no object has, though Python's allocators gave them."""
    said = "a block that is no object's"
    root = Root("native reference", said)
    text = f"native reference: {said}"
    return Holder(len(site.runs), round(site.in_use.estimate), root, (text,), text)


def _packages(site: SiteSurvivors) -> Iterator[str]:
    """Give the names that the modules of the program's own code may begin with."""
    yield "__main__"
    for frame in filter(lines.is_programs, site.frames):
        yield from PurePath(frame.file).with_suffix("").parts[-_PACKAGES_DEEP:]


def _finding(  # noqa: PLR0913, PLR0917 - what a finding is made of
    scope: ScopeSurvivors,
    site: SiteSurvivors,
    trend: Trend,
    first: _Line,
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


def _telling(scope: ScopeSurvivors, group: Sequence[_Line], limit_bytes: float) -> _Line:
    """Return the line to name, of those that may leak much.

    That of the most specific pattern; of those, the one with most, or with about as much that tells more. If
    the one with most has a limit, that one; no other's limit matters.
    """
    known = {rule.number: place for place, rule in enumerate(rules.ALL)}
    matches = [rules.match(_evidence(scope, line)) if line.holders else None for line in group]
    if matches[0] and matches[0].rule.bounded:
        return group[0]
    most = _weight(group[0])
    best, first = None, group[0]
    for line, match in zip(group, matches, strict=True):
        much = _weight(line) >= _COMPARABLE * most and not (match and match.rule.bounded)
        if much and judge_together(line.sites, scope.runs, limit_bytes).kind in _MAY_LEAK:
            pattern = known[match.rule.number] if match else len(known)
            tells = line.tells if _weight(line) >= _ABOUT_AS_MUCH * most else _SAYS_LITTLE
            if best is None or (pattern, *tells) < best:
                best, first = (pattern, *tells), line
    return first


def _evidence(scope: ScopeSurvivors, line: _Line) -> Evidence:
    frames = line.site.frames
    sources = tuple(map(lines.source, frames))
    return Evidence(scope.name, scope.runs.ended, frames, line.types, line.holders, sources)


def _verdict(
    scope: ScopeSurvivors, site: SiteSurvivors, trend: Trend, first: _Line
) -> tuple[Verdict, Match | None, tuple[str, ...]]:
    """Return the verdict, the pattern that explains it, and the reasons; `first`: the line to name."""
    if trend.kind != "leak":
        return trend.kind, None, trend.reasons
    evidence = _evidence(scope, first)
    if evidence.holders and evidence.holders[0].root.kind == _GARBAGE:
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


def _weight(line: _Line) -> float:
    return sum(line.site.weights)


def _worst_first(finding: Finding) -> tuple[int, float]:
    return VERDICTS.index(finding.verdict), -finding.in_use_bytes
