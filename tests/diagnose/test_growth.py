"""Verdicts in worlds whose truth is known: many seeds each, and rates that may not be broken."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import pytest

from outlive.diagnose.growth import judge, judge_together, keeps_all
from outlive.diagnose.survivors import Runs, SiteSurvivors
from tests.diagnose import simulated
from tests.diagnose.simulated import INTERVAL, KIB, World, worlds

if TYPE_CHECKING:
    from collections.abc import Callable

    from outlive.diagnose.growth import Trend

NOT_A_GUESS = {"leak", "not enough data"}
# No threshold was chosen by looking at these.
FRESH_SEED = 500_000


def trends(program: Callable[[World], None], seeds: int, runs: int, interval: int = INTERVAL) -> list[Trend]:
    fresh = range(FRESH_SEED, FRESH_SEED + seeds)
    return [judge(*world.seen()) for world in worlds(program, fresh, runs, interval)]


def kinds(found: list[Trend]) -> Counter[str]:
    return Counter(trend.kind for trend in found)


@pytest.mark.parametrize(
    ("program", "seeds", "runs", "interval", "found_at_least"),
    [
        (partial(simulated.leak, size=512, count=20), 1000, 300, INTERVAL, 0.99),  # 10 KiB a run
        (partial(simulated.leak, size=100, count=103), 200, 300, INTERVAL, 0.99),
        (partial(simulated.leak, count=80), 200, 300, INTERVAL, 0.99),
        (partial(simulated.leak, size=512, count=52_700), 200, 20, INTERVAL, 0.99),  # 27 MB
        (partial(simulated.leak, size=27_000_000, count=1), 200, 20, INTERVAL, 1.0),
        (partial(simulated.leak, size=KIB, count=1), 1, 100, 1, 1.0),
        (partial(simulated.leak, size=64, count=16), 1, 100, 1, 1.0),
        (partial(simulated.leak, size=512, count=20), 1, 50, 1, 1.0),
        (simulated.seldom_leak, 200, 300, INTERVAL, 0.99),
        (simulated.seldom_leak, 1, 300, 1, 1.0),
        (simulated.growing_leak, 200, 300, INTERVAL, 0.99),
        (simulated.growing_leak, 1, 50, 1, 1.0),
        (simulated.uneven_leak, 200, 300, INTERVAL, 0.97),
        (simulated.leak_of_overlapping_runs, 200, 300, INTERVAL, 0.97),
        (simulated.leak_at_a_raised_interval, 200, 300, INTERVAL, 0.97),
        (simulated.leak_among_others, 50, 300, INTERVAL, 0.98),
        (simulated.leak_after_warm_up, 200, 300, INTERVAL, 0.6),
    ],
    ids=str,
)
def test_leaks_are_found_and_never_called_anything_else(
    program: Callable[[World], None], seeds: int, runs: int, interval: int, found_at_least: float
) -> None:
    found = trends(program, seeds, runs, interval)
    assert set(kinds(found)) <= NOT_A_GUESS
    assert kinds(found)["leak"] >= found_at_least * seeds, kinds(found)
    assert all((trend.runs_needed > 0) == (trend.kind == "not enough data") for trend in found)


@pytest.mark.parametrize("program", simulated.INNOCENT, ids=lambda program: program.__name__)
def test_no_innocent_is_called_a_leak(program: Callable[[World], None]) -> None:
    """150 seeds of each of 14 programs: 2,100 worlds."""
    assert kinds(trends(program, 150, 300))["leak"] == 0


@pytest.mark.parametrize("program", simulated.INNOCENT, ids=lambda program: program.__name__)
@pytest.mark.parametrize("runs", [50, 100])
def test_no_innocent_is_called_a_leak_where_every_block_is_known(
    program: Callable[[World], None], runs: int
) -> None:
    assert kinds(trends(program, 5, runs, 1))["leak"] == 0


@pytest.mark.parametrize("program", simulated.INNOCENT, ids=lambda program: program.__name__)
@pytest.mark.parametrize("runs", [20, 60, 120])
def test_few_runs_make_no_leak_of_an_innocent(program: Callable[[World], None], runs: int) -> None:
    assert kinds(trends(program, 50, runs))["leak"] == 0


@pytest.mark.parametrize("program", [simulated.warm_up, simulated.interned_strings], ids=str)
def test_what_came_to_an_end_is_steady_or_bounded(program: Callable[[World], None]) -> None:
    found = kinds(trends(program, 100, 300))
    assert found["steady"] + found["bounded growth"] >= 95


@pytest.mark.parametrize(
    ("program", "share"),
    [
        (simulated.warm_up, 0.6),
        (simulated.cache, 0.6),
        (simulated.sawtooth, 0.4),
        (simulated.log_growth, 0.2),
    ],
)
def test_bounded_growth_is_named(program: Callable[[World], None], share: float) -> None:
    assert kinds(trends(program, 100, 300))["bounded growth"] >= share * 100


def test_the_interval_holds_what_a_run_leaves() -> None:
    """19 times in 20, and the lower bound 99 times in 100; of 200 worlds (binomial, p < 0.001)."""
    found = trends(partial(simulated.leak, count=100), 200, 200)
    truth = 100 * 512
    missed = sum(not trend.per_run.low <= truth <= trend.per_run.high for trend in found)
    assert missed <= 21
    assert sum(trend.certain_bytes > truth for trend in found) <= 8


def test_every_block_known_is_exact() -> None:
    (trend,) = trends(partial(simulated.leak, size=512, count=20), 1, 50, 1)
    assert trend.per_run.estimate == pytest.approx(10 * KIB)
    assert trend.per_run.low == pytest.approx(trend.per_run.high)
    assert trend.certain_bytes == pytest.approx(10 * KIB)
    assert trend.blocks_per_run == pytest.approx(20)


def nothing(runs: Runs) -> Trend:
    return judge(SiteSurvivors((), (), 0.0, 0), runs)


@pytest.mark.parametrize("last", [0, 1, 2, 13])
def test_too_few_runs_say_how_many_more(last: int) -> None:
    trend = nothing(Runs(last, last, interval_bytes=INTERVAL))
    assert trend.kind == "not enough data"
    assert trend.runs_needed == 20 - last
    assert f"{last} runs have ended" in trend.reasons[0]


def test_runs_that_are_all_open_say_nothing() -> None:
    trend = nothing(Runs(40, 0, frozenset(range(1, 41)), interval_bytes=INTERVAL))
    assert trend.kind == "not enough data"
    assert trend.runs_needed >= 40


def test_runs_that_nobody_tracks_say_nothing() -> None:
    trend = nothing(Runs(300, 200, untracked=100, interval_bytes=1))
    assert trend.kind == "not enough data"
    assert "100 runs have not ended" in trend.reasons[0]


def test_nothing_left_is_steady_as_far_as_the_sampler_sees() -> None:
    trend = nothing(Runs(300, 300, interval_bytes=INTERVAL))
    assert trend.kind == "steady"
    assert "at most" in trend.reasons[0]
    assert trend.per_run.high < 10 * KIB
    assert nothing(Runs(300, 300, interval_bytes=64 * INTERVAL)).kind == "not enough data"
    assert nothing(Runs(60, 60, interval_bytes=INTERVAL)).kind == "not enough data"
    assert nothing(Runs(60, 60, interval_bytes=1)).kind == "steady"


def test_a_leak_below_the_limit_is_none() -> None:
    world = World(1, 100, 1)
    simulated.leak(world, size=100, count=3)
    assert judge(*world.seen()).kind == "steady"
    assert judge(*world.seen(), limit_bytes=64).kind == "leak"


def test_reasons_are_in_plain_words() -> None:
    (trend,) = trends(partial(simulated.leak, size=512, count=20), 1, 50, 1)
    assert trend.reasons == (
        (
            "31 of 31 settled runs (17 to 47) show survivors, old ones as new; "
            "nothing that outlived its run was let go later"
        ),
        "10.0 KiB a run in runs 17 to 26, 10.0 KiB in runs 38 to 47",
        "more than 10.0 KiB a run at 99 %",
    )


def of_stack(world: World, program: Callable[[World], None]) -> SiteSurvivors:
    program(world)
    return world.seen()[0]


def test_a_site_that_keeps_all_is_found_beside_one_that_does_not() -> None:
    leaking = of_stack(World(1, 300), partial(simulated.leak, count=40))
    other = of_stack(World(2, 300), simulated.cache_with_random_replacement)
    world = World(3, 300)
    assert keeps_all(leaking)
    assert not keeps_all(other)
    runs = world.seen()[1]
    assert judge_together([leaking, other], runs).kind == "leak"
    assert judge_together([other], runs).kind != "leak"


def test_sites_are_not_picked_for_having_lost_nothing_by_chance() -> None:
    """A cache whose entries are of many stacks: those of which all samples are alive are no leak."""
    for seed in range(5):
        chances = [World(100 * seed + stack, 300) for stack in range(100)]
        sites = []
        for world in chances:
            for run in world.numbers():
                world.make(run, 512, 1, alive=0.99 ** (300 - max(run, 100)))
            sites.append(world.seen()[0])
        assert judge_together(sites, chances[0].seen()[1]).kind != "leak"
