"""Sampled figures: an estimate is never shown without its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

from outlive.model.size import mib

_Z95 = 1.959964  # 97.5 % quantile of the standard normal distribution


@dataclass(frozen=True, slots=True)
class Estimate:
    """A sampled number of bytes with its 95 % confidence interval."""

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return it as people read it: "12.5 MiB (10.1 MiB to 15.3 MiB)"."""
        return f"{mib(self.estimate)} ({mib(self.low)} to {mib(self.high)})"


@dataclass(frozen=True, slots=True)
class Site:
    """A source line, and what it allocated since sampling began that is alive.

    `function` is the qualified name; `file` is as the code names it, and "" where no Python code ran.
    `blocks` is an estimated number.
    """

    file: str
    line: int
    function: str
    in_use: Estimate
    blocks: float


def poisson_estimate(total: float, variance: float) -> Estimate:
    """Return the estimate `total` with its interval, given the variance of a Poisson-sampled sum.

    A sum of weights behaves as a scaled Poisson count of n = total^2 / variance (Fay and Feuer, "Confidence
    intervals for directly standardized rates", 1997). For the count's interval: the chi-square quantiles by
    Wilson and Hilferty's cube root; from two events on their tail probabilities are right to a seventh.
    """
    if variance <= 0:
        return Estimate(total, total, total)
    n = total * total / variance
    low = n * (1 - 1 / (9 * n) - _Z95 / (3 * math.sqrt(n))) ** 3
    high = (n + 1) * (1 - 1 / (9 * (n + 1)) + _Z95 / (3 * math.sqrt(n + 1))) ** 3
    return Estimate(total, max(low, 0.0) * total / n, high * total / n)
