"""Gauges over runs: what grows is told from what does not, on simulated families whose truth is known."""

from __future__ import annotations

import math
import random
from itertools import accumulate
from typing import TYPE_CHECKING

import pytest

from outlive.diagnose import series

if TYPE_CHECKING:
    from collections.abc import Callable

KIB = 1024
RUNS = 450
WARM, FIRST, SECOND = 50, 150, 250
SEEDS = range(60)


def flat(_run: int, _rng: random.Random) -> float:
    return 0


def warm_up(run: int, _rng: random.Random) -> float:
    return 50 * KIB if run < 60 else 0


def step(run: int, _rng: random.Random) -> float:
    return 5000 * KIB if run == 200 else 0


def logarithmic(run: int, _rng: random.Random) -> float:
    return 3000 * KIB * math.log((run + 1) / run)


def filling(run: int, rng: random.Random) -> float:
    return rng.uniform(5, 15) * KIB if run <= 240 else 0


def readings(
    grown: Callable[[int, random.Random], float], seed: int, noise: float = 20 * KIB
) -> tuple[list[int], list[int]]:
    rng = random.Random(seed)  # noqa: S311 - no secret
    runs = list(range(1, RUNS + 1))
    levels = accumulate(grown(run, rng) for run in runs)
    return runs, [round(level + rng.uniform(0, noise)) for level in levels]


def segments(runs: list[int], figures: list[int]) -> list[series.Series]:
    borders = ((WARM, FIRST), (FIRST, SECOND), (SECOND, RUNS))
    return [(runs[first:end], figures[first:end]) for first, end in borders]


@pytest.mark.parametrize("grown", [flat, warm_up, step, logarithmic, filling])
def test_the_innocent_never_grow(grown: Callable[[int, random.Random], float]) -> None:
    assert not [seed for seed in SEEDS if series.grows(segments(*readings(grown, seed)), KIB)]


@pytest.mark.parametrize("size", [2 * KIB, 10 * KIB, 1000 * KIB])
def test_a_leak_always_does(size: int) -> None:
    def leak(_run: int, rng: random.Random) -> float:
        return rng.uniform(0.5, 1.5) * size

    for seed in SEEDS:
        runs, figures = readings(leak, seed)
        assert series.grows(segments(runs, figures), KIB)
        assert not any(series.is_flat((runs[:end], figures[:end]), KIB) for end in range(1, RUNS, 5))


def test_a_leak_in_every_tenth_run_is_not_flat() -> None:
    def leak(run: int, _rng: random.Random) -> float:
        return 100 * KIB if run % 10 == 0 else 0

    runs, figures = readings(leak, 1, noise=KIB)
    assert not any(series.is_flat((runs[:end], figures[:end]), KIB) for end in range(1, RUNS))
    assert series.grows(segments(runs, figures), KIB)


def test_flat_after_twenty_runs_and_not_before() -> None:
    runs, figures = readings(flat, 1, noise=0)
    assert not series.is_flat((runs[:20], figures[:20]), 0)
    assert series.is_flat((runs[:21], figures[:21]), 0)
    assert not series.is_flat((runs[:21:10], figures[:21:10]), 0)  # three readings say nothing
    assert not series.is_flat(((), ()), 0)


def test_exact_figures_that_each_run_adds_to() -> None:
    runs = list(range(0, 200, 5))
    each = [(runs, [7 + run for run in runs])]
    assert series.every_run_adds(each)
    assert series.every_run_adds([(runs, [7 + 3 * run for run in runs])])
    assert series.every_run_adds([(runs, [7 + run - (run == 195) for run in runs])])  # one is gone for now
    assert not series.every_run_adds([(runs, [7 + run * 4 // 5 for run in runs])])
    assert not series.every_run_adds([(runs, [7 + min(run, 100) for run in runs])])  # a pool that fills
    assert not series.every_run_adds([([1], [1])])
    assert not series.every_run_adds([*each, (runs, [7] * len(runs))])
