"""The statistics that verdicts rest on. `z` is a quantile of the standard normal distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Z95 = 1.959964  # two-sided
Z99 = 2.326348  # one-sided
_MANY = 100  # from so many events on, Wilson and Hilferty's cube root is right to four digits


@dataclass(frozen=True, slots=True)
class MannKendall:
    """`s`: pairs that rise less pairs that fall; `z`: by its standard deviation, corrected for continuity."""

    s: int
    variance: float
    z: float


@dataclass(frozen=True, slots=True)
class Slope:
    """The median slope, and its bounds: each one-sided at the level that was asked for."""

    slope: float
    low: float
    high: float


def mann_kendall(values: Sequence[float]) -> MannKendall:
    """Return whether values rise in the order given, whatever they are distributed like.

    Mann, "Nonparametric tests against trend", 1945; the variance with ties is Kendall's, "Rank correlation
    methods", 1948.
    """
    n = len(values)
    s = sum(
        (values[j] > values[i]) - (values[j] < values[i])  # the sign
        for j in range(n)
        for i in range(j)
    )
    ties = [len(list(equal)) for _, equal in groupby(sorted(values))]
    variance = (n * (n - 1) * (2 * n + 5) - sum(t * (t - 1) * (2 * t + 5) for t in ties)) / 18
    z = (s - (s > 0) + (s < 0)) / math.sqrt(variance) if variance > 0 else 0.0
    return MannKendall(s, variance, z)


def theil_sen(xs: Sequence[float], ys: Sequence[float], z: float = Z99) -> Slope:
    """Return the median of the slopes between all pairs of points with different x.

    Theil, "A rank-invariant method of linear and polynomial regression analysis", 1950; the bounds are Sen's,
    "Estimates of the regression coefficient based on Kendall's tau", 1968: slopes so many ranks away from the
    median as Kendall's S deviates by chance, ties in y corrected for.

    Raises:
        ValueError: there are not two different xs.

    """
    slopes = sorted(
        (ys[j] - ys[i]) / (xs[j] - xs[i]) for j in range(len(xs)) for i in range(j) if xs[i] != xs[j]
    )
    if not slopes:
        raise ValueError("a slope takes two points")
    deviation = z * math.sqrt(mann_kendall(ys).variance)
    low = math.floor((len(slopes) - deviation) / 2) - 1
    high = math.ceil((len(slopes) + deviation) / 2)
    return Slope(
        median(slopes),
        slopes[low] if low >= 0 else -math.inf,
        slopes[high] if high < len(slopes) else math.inf,
    )


def block_minima(xs: Sequence[float], ys: Sequence[float], blocks: int) -> tuple[list[float], list[float]]:
    """Return the lowest point of each of `blocks` stretches: a floor that rises is no sawtooth."""
    size = max(1, math.ceil(len(ys) / blocks))
    lowest = [
        min(range(first, min(first + size, len(ys))), key=ys.__getitem__) for first in range(0, len(ys), size)
    ]
    return [xs[i] for i in lowest], [ys[i] for i in lowest]


def poisson_low(count: float, z: float) -> float:
    """Return the lower bound of a Poisson mean of which `count` was seen; it need not be whole.

    Garwood, "Fiducial limits for the Poisson distribution", 1936.
    """
    if count <= 0:
        return 0.0
    if count > _MANY:
        return max(0.0, count * (1 - 1 / (9 * count) - z / (3 * math.sqrt(count))) ** 3)
    return _gamma_quantile(count, math.erfc(z / math.sqrt(2)) / 2)


def poisson_high(count: float, z: float) -> float:
    """Return the upper bound of a Poisson mean of which `count` was seen (Garwood 1936)."""
    if count > _MANY:
        more = count + 1
        return more * (1 - 1 / (9 * more) + z / (3 * math.sqrt(more))) ** 3
    return _gamma_quantile(count + 1, 1 - math.erfc(z / math.sqrt(2)) / 2)


def student(z: float, degrees: int) -> float:
    """Return Student's quantile where the normal one is `z`.

    Fisher and Cornish's expansion (Abramowitz and Stegun 26.7.5): within 0.2 % from eight degrees on.
    """
    return (
        z
        + (z**3 + z) / (4 * degrees)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)
    )


def _gamma_quantile(shape: float, chance: float) -> float:
    low, high = 0.0, shape + 10 * math.sqrt(shape) + 20
    for _ in range(60):
        middle = (low + high) / 2
        if _gamma_share(shape, middle) < chance:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _gamma_share(shape: float, x: float) -> float:
    """Return the regularised incomplete gamma function, by its series."""
    if x <= 0:
        return 0.0
    term = total = 1 / shape
    step = shape
    while term > total * 1e-12:
        step += 1
        term *= x / step
        total += term
    return total * math.exp(shape * math.log(x) - x - math.lgamma(shape))
