"""Confidence intervals against the exact Poisson ones."""

from __future__ import annotations

import math

import pytest

from outlive.model.estimate import Estimate, poisson_estimate


def poisson_cdf(count: int, mean: float) -> float:
    """P(N <= count) for a Poisson variable, by summing."""
    return sum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(count + 1))


@pytest.mark.parametrize("count", [2, 5, 20, 100, 1000])
def test_the_interval_is_the_exact_one_of_a_poisson_count(count: int) -> None:
    """Garwood's: at `low`, `count` or more come 2.5 % of the time; at `high`, `count` or fewer."""
    weight = 4096.0
    found = poisson_estimate(count * weight, count * weight**2)
    assert found.estimate == count * weight
    assert 1 - poisson_cdf(count - 1, found.low / weight) == pytest.approx(0.025, rel=0.15)
    assert poisson_cdf(count, found.high / weight) == pytest.approx(0.025, rel=0.15)


def test_what_is_known_for_certain_has_no_width() -> None:
    found = poisson_estimate(5.0, 0.0)
    assert (found.low, found.estimate, found.high) == (5.0, 5.0, 5.0)


def test_as_people_read_it() -> None:
    assert str(Estimate(25 << 19, 10 << 20, 16 << 20)) == "12.5 MiB (10.0 MiB to 16.0 MiB)"
