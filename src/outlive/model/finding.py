"""What outlive finds: verdicts, with the figures and words they rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from outlive.model.breakdown import Breakdown
    from outlive.model.estimate import Estimate

Verdict = Literal[
    "leak",
    "cycle garbage",
    "bounded growth",
    "peak bloat",
    "allocator retention",
    "native growth",
    "steady",
    "not enough data",
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
LEAKS: tuple[Verdict, ...] = ("leak", "native growth")  # what makes a test fail

Confidence = Literal["certain", "likely", "unknown"]
"""certain: at 99 %; likely: a part could not be looked at; unknown: there is no verdict yet."""


@dataclass(frozen=True, slots=True)
class Place:
    """The line that made what a finding is about. `source` is its text, "" if the file can't be read."""

    file: str
    line: int
    function: str
    source: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `outlive.diagnose` returns: the verdicts, the worst first, and how the resident memory divides."""

    findings: tuple[Finding, ...]
    breakdown: Breakdown


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict on one scope and site, or on the process as a whole (`scope` is "" then).

    Bytes are estimates with their 95 % interval where they come from samples. `per_run_bytes` is what of each
    run outlives it. `objects_per_run` is of `type`, 0 if not known. `holder` is a holder path in words, "" if
    nothing could be asked for it. `rule` is the number of the pattern in `outlive.rules`, "" for none.
    `certain_bytes` is the lower bound of `per_run_bytes` at 99 %. `by_run_bytes` is what a run left, in equal
    stretches of runs from the first to the last.
    """

    verdict: Verdict
    confidence: Confidence
    scope: str
    runs: int
    per_run_bytes: Estimate | None
    certain_bytes: float
    in_use_bytes: float
    site: Place | None
    type: str
    objects_per_run: float
    holder: str
    rule: str
    reasons: tuple[str, ...]
    cure: str
    by_run_bytes: tuple[float, ...] = ()
