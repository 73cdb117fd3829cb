"""Survivors: what runs that have ended left alive, by scope and by the stack that made it."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from outlive.model.estimate import Estimate, poisson_estimate
from outlive.recording.totals import Sum, is_own

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outlive.model.recording import Frame, Recording, Sample, Scope


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a scope: numbers 1 to `last`, of which those in `open` have not ended.

    `untracked` further ones have not ended either, and can't be told apart. `interval_bytes` is the longest
    distance between sample points: 1 where every block is known.
    """

    last: int
    ended: int
    open: frozenset[int] = frozenset()
    untracked: int = 0
    interval_bytes: int = 1


@dataclass(frozen=True, slots=True)
class SiteSurvivors:
    """The survivors of one stack, or of several that count as one; a row each in the columns.

    A row is a sampled block: number of its run, bytes it stands for and their variance, blocks it stands for,
    its address. `late_samples` samples of `late_bytes` outlived their run, in any scope, and died since
    (model.recording.Stack).
    """

    stacks: tuple[int, ...]
    frames: tuple[Frame, ...]
    late_bytes: float
    late_samples: int
    runs: array[int] = field(default_factory=lambda: array("q"))
    weights: array[float] = field(default_factory=lambda: array("d"))
    variances: array[float] = field(default_factory=lambda: array("d"))
    blocks: array[float] = field(default_factory=lambda: array("d"))
    addresses: array[int] = field(default_factory=lambda: array("Q"))
    from_malloc: array[int] = field(default_factory=lambda: array("b"))

    def add(self, sample: Sample) -> None:
        """Take in a survivor."""
        one = Sum()
        one.add(sample)
        self.runs.append(sample.run)
        self.weights.append(one.total)
        self.variances.append(one.variance)
        self.blocks.append(one.blocks)
        self.addresses.append(sample.address)
        self.from_malloc.append(sample.from_malloc)

    def by_run(self, last: int, stretches: int) -> tuple[float, ...]:
        """Return what a run left alive, on average, in equal stretches of the runs from 1 to `last`."""
        count = min(stretches, last)
        sums = [0.0] * count
        for run, weight in zip(self.runs, self.weights, strict=True):
            sums[min((run - 1) * count // last, count - 1)] += weight
        return tuple(total * count / last for total in sums)

    @property
    def in_use(self) -> Estimate:
        """The bytes that survive."""
        return poisson_estimate(sum(self.weights), sum(self.variances))


@dataclass(frozen=True, slots=True)
class LabelShare:
    """What the survivors of runs with certain labels come to, of those of all runs."""

    name: str
    in_use_bytes: float
    share: float
    runs: int  # with these labels, that began


@dataclass(frozen=True, slots=True)
class AgeBand:
    """What runs of an age left alive; the age is how many runs began later. `runs`: that ended."""

    youngest: int
    oldest: int
    runs: int
    in_use: Estimate


@dataclass(frozen=True, slots=True)
class ScopeSurvivors:
    """A scope with all its labels, and what its ended runs left alive: sites with most first."""

    scope: int
    name: str
    runs: Runs
    in_use_bytes: float  # of open runs too
    high_bytes: float
    sites: tuple[SiteSurvivors, ...]
    labels: tuple[LabelShare, ...]

    @property
    def whole(self) -> SiteSurvivors:
        """All sites as one."""
        return together(self.sites)

    def by_age(self) -> tuple[AgeBand, ...]:
        """Return the survivors by age of their run, in bands twice as wide each: 0, 1 to 2, 3 to 6, ..."""
        whole, last = self.whole, self.runs.last
        bands = []
        youngest = 0
        while youngest < last:
            oldest = min(2 * youngest, last - 1)
            rows = [i for i, run in enumerate(whole.runs) if youngest <= last - run <= oldest]
            still_open = sum(youngest <= last - run <= oldest for run in self.runs.open)
            total = sum(whole.weights[i] for i in rows)
            estimate = poisson_estimate(total, sum(whole.variances[i] for i in rows))
            bands.append(AgeBand(youngest, oldest, oldest - youngest + 1 - still_open, estimate))
            youngest = oldest + 1
        return tuple(bands)


def survivors(recording: Recording) -> list[ScopeSurvivors]:
    """Return what the ended runs of each scope left alive, most first; outlive's own memory left out.

    Runs with labels count for the scope without. What runs that have not ended hold is no survivor.
    """
    by_base: dict[int, list[Sample]] = {
        number: [] for number, scope in recording.scopes.items() if scope.base == number
    }
    programs = {number for number, stack in recording.stacks.items() if not is_own(stack)}
    for sample in recording.samples:
        scope = recording.scopes.get(sample.scope)
        if scope is not None and sample.run and scope.base in by_base and sample.stack in programs:
            by_base[scope.base].append(sample)
    found = [
        _scope(recording, number, recording.scopes[number], samples) for number, samples in by_base.items()
    ]
    return sorted(found, key=lambda each: each.whole.in_use.estimate, reverse=True)


def together(sites: Iterable[SiteSurvivors]) -> SiteSurvivors:
    """Return sites as one; it has the frames of the one with the most survivors."""
    ordered = sorted(sites, key=lambda site: sum(site.weights), reverse=True)
    whole = SiteSurvivors(
        tuple(stack for site in ordered for stack in site.stacks),
        ordered[0].frames if ordered else (),
        sum(site.late_bytes for site in ordered),
        sum(site.late_samples for site in ordered),
    )
    for site in ordered:
        whole.runs.extend(site.runs)
        whole.weights.extend(site.weights)
        whole.variances.extend(site.variances)
        whole.blocks.extend(site.blocks)
        whole.addresses.extend(site.addresses)
        whole.from_malloc.extend(site.from_malloc)
    return whole


def only_from_malloc(site: SiteSurvivors) -> SiteSurvivors:
    """Return what of a site's survivors an extension took from malloc itself."""
    part = SiteSurvivors(site.stacks, site.frames, site.late_bytes, site.late_samples)
    for i, native in enumerate(site.from_malloc):
        if native:
            part.runs.append(site.runs[i])
            part.weights.append(site.weights[i])
            part.variances.append(site.variances[i])
            part.blocks.append(site.blocks[i])
            part.addresses.append(site.addresses[i])
            part.from_malloc.append(1)
    return part


def _scope(recording: Recording, number: int, scope: Scope, samples: list[Sample]) -> ScopeSurvivors:
    rows = {row for row, each in recording.scopes.items() if each.base == number}
    still_open = frozenset(each.run for each in recording.open_runs if each.scope in rows)
    sites: dict[int, SiteSurvivors] = {}
    of_rows: dict[int, float] = defaultdict(float)
    for sample in samples:
        if sample.run in still_open:
            continue
        if sample.stack not in sites:
            stack = recording.stacks[sample.stack]
            sites[sample.stack] = SiteSurvivors(
                (sample.stack,), stack.frames, stack.late_bytes, stack.late_samples
            )
        sites[sample.stack].add(sample)
        of_rows[sample.scope] += sites[sample.stack].weights[-1]
    total = sum(of_rows.values())
    return ScopeSurvivors(
        number,
        scope.name,
        Runs(
            # A run that got another name keeps its number: a block may know a later one than began.
            max([scope.began, *(sample.run for sample in samples)]),
            scope.ended,
            still_open,
            max(0, scope.began - scope.ended - len(still_open)),
            max([recording.current_interval_bytes, *(sample.interval_bytes for sample in samples)]),
        ),
        scope.in_use_bytes,
        scope.high_bytes,
        tuple(sorted(sites.values(), key=lambda site: sum(site.weights), reverse=True)),
        tuple(
            LabelShare(recording.scopes[row].name, held, held / total, recording.scopes[row].began)
            for row, held in sorted(of_rows.items(), key=lambda each: each[1], reverse=True)
            if row != number
        ),
    )
