"""What grew between two recordings, or two moments of one, and whether it is more than chance."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from outlive.model.estimate import Estimate
from outlive.recording.totals import Grouping, Sum, grouped, is_own, key_of, sums

if TYPE_CHECKING:
    from collections.abc import Hashable

    from outlive.model.recording import Recording, Sample, Stack

_NOTHING = Estimate(0.0, 0.0, 0.0)
_NONE_SEEN_MAX = -math.log(0.025)  # upper limit of a Poisson count of which none was seen


@dataclass(frozen=True, slots=True)
class SiteDifference:
    """What a site holds in the second recording more than in the first; negative if less.

    `beyond_chance`: the 95 % interval of `grown` leaves 0 out.
    """

    stack: Stack
    before: Estimate
    after: Estimate
    grown: Estimate
    grown_blocks: float

    @property
    def beyond_chance(self) -> bool:
        """Whether sampling alone does not explain the difference."""
        return self.grown.low > 0 or self.grown.high < 0


@dataclass(slots=True)
class _Change:
    """Samples that only the second recording has, and those that only the first one has."""

    gained: Sum = field(default_factory=Sum)
    lost: Sum = field(default_factory=Sum)


def difference(before: Recording, after: Recording, by: Grouping = "line") -> list[SiteDifference]:
    """Return how each site changed, most grown first; sites that did not are left out.

    Of one process, blocks that are alive in both recordings cancel out: what came and what went remains,
    known far better than the difference of two totals.
    """
    gained, lost = changed(before, after)
    changes: dict[Hashable, _Change] = {}
    for number, total in sums(gained).items():
        changes.setdefault(key_of(after.stacks[number], by), _Change()).gained.merge(total)
    for number, total in sums(lost).items():
        changes.setdefault(key_of(before.stacks[number], by), _Change()).lost.merge(total)
    earlier, later = ({key_of(s.stack, by): s for s in grouped(r, by)} for r in (before, after))
    unit = max(before.current_interval_bytes, after.current_interval_bytes)
    found = [
        SiteDifference(
            (later.get(key) or earlier[key]).stack,
            earlier[key].in_use if key in earlier else _NOTHING,
            later[key].in_use if key in later else _NOTHING,
            minus(change.gained, change.lost, unit),
            change.gained.blocks - change.lost.blocks,
        )
        for key, change in changes.items()
        if key in earlier or key in later  # else outlive's own
    ]
    return sorted(found, key=lambda site: (site.grown.estimate, site.after.estimate), reverse=True)


def grown(before: Recording, after: Recording) -> Estimate:
    """Return how much more the second recording holds in all, outlive's own left out."""
    whole = _Change()
    for samples, recording, into in zip(
        changed(before, after), (after, before), (whole.gained, whole.lost), strict=True
    ):
        for number, total in sums(samples).items():
            if not is_own(recording.stacks[number]):
                into.merge(total)
    unit = max(before.current_interval_bytes, after.current_interval_bytes)
    return minus(whole.gained, whole.lost, unit)


def changed(before: Recording, after: Recording) -> tuple[list[Sample], list[Sample]]:
    """Return the samples that `after` gained, and those it lost.

    A block that is alive in both weighs the same in both: it says nothing of growth, nor of its error.
    """
    one, other = before.process, after.process
    if (one.pid, one.began) != (other.pid, other.began):
        return list(after.samples), list(before.samples)
    then, now = (set(map(_identity, recording.samples)) for recording in (before, after))
    return (
        [sample for sample in after.samples if _identity(sample) not in then],
        [sample for sample in before.samples if _identity(sample) not in now],
    )


def _identity(sample: Sample) -> tuple[int, float, int]:
    return sample.address, sample.born, sample.size


def minus(gained: Sum, lost: Sum, unit: int) -> Estimate:
    """Return gained - lost with its interval, from the limits of each.

    Donner and Zou, "Closed-form confidence intervals for functions of the normal mean and standard deviation"
    (2012). Where no sample was seen at all, up to 3.7 intervals (`unit`, in bytes) may have been missed.
    """
    came, went = gained.estimate, lost.estimate
    came_high = came.high if gained.samples else _NONE_SEEN_MAX * unit
    went_high = went.high if lost.samples else _NONE_SEEN_MAX * unit
    middle = came.estimate - went.estimate
    return Estimate(
        middle,
        middle - math.hypot(came.estimate - came.low, went_high - went.estimate),
        middle + math.hypot(came_high - came.estimate, went.estimate - went.low),
    )
