"""The statistics against their definitions, closed forms and published tables."""

from __future__ import annotations

import itertools
import math
import random
from statistics import NormalDist, pvariance

import pytest

from outlive.diagnose.statistics import (
    Z95,
    Z99,
    MannKendall,
    block_minima,
    mann_kendall,
    poisson_high,
    poisson_low,
    student,
    theil_sen,
)


@pytest.mark.parametrize(
    "values", [(1, 2, 3, 4, 5), (1, 1, 2, 3, 4), (1, 1, 2, 2, 5), (3, 3, 3, 1, 2), (1, 1, 1, 1, 2)]
)
def test_the_variance_of_s_is_that_over_all_orders(values: tuple[int, ...]) -> None:
    every = [mann_kendall(order) for order in itertools.permutations(values)]
    assert sum(each.s for each in every) == 0
    assert every[0].variance == pytest.approx(pvariance([each.s for each in every]))


def test_s_counts_pairs() -> None:
    assert mann_kendall([1, 2, 3, 4]).s == 6
    assert mann_kendall([4, 3, 2, 1]).s == -6
    assert mann_kendall([1, 3, 2, 2]).s == 1  # 1 + 1 + 1 - 1 - 1, and a tie
    assert mann_kendall([7, 7, 7]) == mann_kendall([]) == MannKendall(0, 0.0, 0.0)


def test_chance_alone_rises_one_time_in_a_hundred() -> None:
    chance = random.Random(3)  # noqa: S311 - a simulation
    found = sum(mann_kendall([chance.random() for _ in range(30)]).z > Z99 for _ in range(2000))
    assert 5 <= found <= 36  # binomial: 20 ± 3.6 deviations


def test_the_slope_is_the_median_of_all_pairs() -> None:
    xs, ys = [0.0, 1.0, 2.0, 4.0], [0.0, 2.0, 1.0, 8.0]
    pairs = sorted(
        (b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.combinations(zip(xs, ys, strict=True), 2)
    )
    assert theil_sen(xs, ys).slope == pytest.approx((pairs[2] + pairs[3]) / 2)
    assert theil_sen([0, 1, 2, 3], [5, 8, 11, 14]).slope == 3


def test_one_outlier_does_not_move_the_slope() -> None:
    xs = [float(x) for x in range(21)]
    ys = [2 * x for x in xs]
    ys[20] = 1e9
    assert theil_sen(xs, ys).slope == pytest.approx(2)


def test_the_bounds_of_the_slope_hold_it_99_times_in_100_each() -> None:
    chance = random.Random(8)  # noqa: S311 - a simulation
    xs = [float(x) for x in range(25)]
    below = above = 0
    for _ in range(1000):
        found = theil_sen(xs, [3 * x + chance.gauss(0, 20) for x in xs])
        below += found.high < 3
        above += found.low > 3
    assert below <= 22  # binomial: 10 + 3.8 deviations
    assert above <= 22
    assert below + above >= 2  # and not by being endless


def test_few_points_bound_nothing() -> None:
    found = theil_sen([0, 1, 2], [0, 1, 2])
    assert (found.low, found.high) == (-math.inf, math.inf)
    with pytest.raises(ValueError, match="two points"):
        theil_sen([1, 1], [2, 3])


def test_block_minima_are_the_floor() -> None:
    xs, ys = list(range(7)), [5, 1, 9, 2, 8, 7, 0]
    assert block_minima(xs, ys, 3) == ([1, 3, 6], [1, 2, 0])
    assert block_minima([], [], 3) == ([], [])


# Garwood 1936, table of the 95 % and 98 % limits.
@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390), (50, 37.111, 65.919)],
)
def test_garwoods_limits(count: int, low: float, high: float) -> None:
    assert poisson_low(count, Z95) == pytest.approx(low, abs=0.001)
    assert poisson_high(count, Z95) == pytest.approx(high, abs=0.001)


def test_limits_are_seamless_and_solve_the_poisson_equation() -> None:
    assert poisson_low(100, Z99) == pytest.approx(poisson_low(100.001, Z99), rel=1e-4)
    assert poisson_high(100, Z99) == pytest.approx(poisson_high(100.001, Z99), rel=1e-4)
    mean = poisson_low(8, Z99)
    tail = 1 - sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(8))
    assert tail == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize(
    ("chance", "degrees", "expected"),
    [(0.975, 8, 2.306), (0.975, 30, 2.042), (0.99, 8, 2.896), (0.99, 12, 2.681), (0.99, 120, 2.358)],
)
def test_students_table(chance: float, degrees: int, expected: float) -> None:
    assert student(NormalDist().inv_cdf(chance), degrees) == pytest.approx(expected, rel=0.002)
