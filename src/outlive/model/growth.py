"""Growth of a piece of code that is run again and again: what it may be, and what it was found to be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from outlive.model.finding import LEAKS

if TYPE_CHECKING:
    from outlive.model.estimate import Estimate
    from outlive.model.finding import Finding, Verdict


@dataclass(frozen=True, slots=True)
class GrowthLimit:
    """How much a run may leave behind, and how often to run: `warmup` times, then `runs` times.

    If it looks like a leak then, three times `runs` more.
    """

    size_bytes: int
    runs: int = 100
    warmup: int = 50


@dataclass(frozen=True, slots=True)
class GaugeGrowth:
    """What a run adds to a gauge (capture.gauges), between its bounds at 99 %, each one-sided."""

    gauge: str
    per_run: Estimate


@dataclass(frozen=True, slots=True)
class Growth:
    """What was found. `verdict` is "leak", or why it is none; `reasons` say so in words.

    `runs`: how many there were, in `seconds`. `gauges`: those that grow over their limit, or else the memory;
    `curve`: bytes in use after runs, over those at first, evenly spaced. `findings`: what the heap says, the
    worst first. `ignored`: bytes a run that are known noise, by its name.
    """

    verdict: Verdict
    limit: GrowthLimit
    runs: int
    seconds: float
    gauges: tuple[GaugeGrowth, ...]
    curve: tuple[float, ...]
    reasons: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    ignored: dict[str, float] = field(default_factory=dict)

    @property
    def fails(self) -> bool:
        """Whether it grows by more than it may."""
        return self.verdict in LEAKS
