"""Before and after: which verdict follows from given figures, and from samples whose truth is known."""

from __future__ import annotations

import math

import pytest

from outlive.diagnose.comparison import Outcome, ScopeOutcome, Side, Spread, compare, outcome, pooled
from outlive.diagnose.growth import RUNS_LEAST
from outlive.model.estimate import Estimate
from outlive.model.recording import Scope
from tests.recording.synthetic import point, recording, sample, stack

KIB, MIB = 1 << 10, 1 << 20
LEAK = ("leak", 100 * KIB, 90 * KIB, 110 * KIB)
SMALLER_LEAK = ("leak", 50 * KIB, 45 * KIB, 55 * KIB)
TINY_LEAK = ("leak", 2 * KIB, 1 * KIB, 3 * KIB)
STEADY = ("steady", 0, 0, 5 * KIB)
FILLS = ("bounded growth", 70 * KIB, 60 * KIB, 80 * KIB)
NOTHING_SEEN = ("not enough data", 0, 0, 5 * KIB)
UNCERTAIN = ("not enough data", 9 * KIB, 4 * KIB, 16 * KIB)
DOUBTFUL = ("not enough data", 96 * KIB, 88 * KIB, 105 * KIB)
UNBOUNDED = ("not enough data", 0, 0, math.inf)


def side(**scopes: tuple[str, float, float, float]) -> Side:
    return pooled([execution(**scopes)])


def execution(**scopes: tuple[str, float, float, float]) -> Outcome:
    return Outcome(
        {
            name: ScopeOutcome(name, 60, kind, Estimate(*known), (f"{kind}, that is",), more_runs=7)  # type: ignore[arg-type]
            for name, (kind, *known) in scopes.items()
        }
    )


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (LEAK, STEADY, "fixed"),
        (LEAK, NOTHING_SEEN, "fixed"),
        (LEAK, FILLS, "fixed"),
        (LEAK, LEAK, "not fixed"),
        (SMALLER_LEAK, LEAK, "not fixed"),
        (LEAK, SMALLER_LEAK, "better, not fixed"),
        (LEAK, TINY_LEAK, "better, not fixed"),
        (DOUBTFUL, STEADY, "fixed"),  # what it left is certain; whether for ever is not
        (LEAK, DOUBTFUL, "not enough data"),
        (DOUBTFUL, LEAK, "not fixed"),
        (DOUBTFUL, DOUBTFUL, "not enough data"),
        (STEADY, DOUBTFUL, "not enough data"),
        (LEAK, UNCERTAIN, "not enough data"),
        (LEAK, UNBOUNDED, "not enough data"),
        (UNCERTAIN, STEADY, "not enough data"),
        (UNBOUNDED, UNBOUNDED, "not enough data"),
        (UNCERTAIN, LEAK, "not fixed"),
        (STEADY, LEAK, "not fixed"),
        (STEADY, UNCERTAIN, "not enough data"),
        (STEADY, STEADY, "nothing to fix"),
        (FILLS, STEADY, "nothing to fix"),
        (TINY_LEAK, STEADY, "nothing to fix"),
    ],
)
def test_the_verdict_is_what_the_bounds_allow(
    before: tuple[str, float, float, float], after: tuple[str, float, float, float], verdict: str
) -> None:
    compared = compare(side(job=before), side(job=after))
    (change,) = compared.scopes
    assert (compared.verdict, change.verdict) == (verdict, verdict)
    assert (change.more_runs > 0) == (verdict == "not enough data")
    assert change.reason


def test_the_limit_is_the_askers() -> None:
    assert compare(side(job=LEAK), side(job=SMALLER_LEAK), 60 * KIB).verdict == "better, not fixed"
    assert compare(side(job=LEAK), side(job=NOTHING_SEEN), 4 * KIB).verdict == "not enough data"
    assert compare(side(job=TINY_LEAK), side(job=("steady", 0, 0, 0)), KIB // 2).verdict == "fixed"


def test_runs_that_are_asked_for_are_enough() -> None:
    """Nothing seen in 60 runs bounds it at 5 KiB: for 1 KiB it takes five times as many, and some more."""
    (change,) = compare(side(job=LEAK), side(job=NOTHING_SEEN), KIB).scopes
    assert 240 <= change.more_runs <= 300


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ({"job": LEAK, "start": UNBOUNDED}, {"job": STEADY, "start": UNBOUNDED}, "fixed"),
        ({"job": LEAK, "mail": LEAK}, {"job": STEADY, "mail": LEAK}, "not fixed"),
        ({"job": LEAK, "mail": LEAK}, {"job": STEADY, "mail": UNCERTAIN}, "not enough data"),
        ({"job": LEAK, "mail": LEAK}, {"job": STEADY}, "not enough data"),
        ({"job": LEAK}, {"job": STEADY, "mail": LEAK}, "not fixed"),
        ({"job": LEAK}, {"job": STEADY, "mail": STEADY}, "fixed"),
        ({"job": LEAK}, {"renamed": STEADY}, "not enough data"),
        ({"job": STEADY, "start": UNBOUNDED}, {"job": STEADY, "start": UNBOUNDED}, "not enough data"),
        ({}, {"job": STEADY}, "not enough data"),
        ({}, {}, "not enough data"),
    ],
)
def test_several_scopes_come_to_the_worst(
    before: dict[str, tuple[str, float, float, float]],
    after: dict[str, tuple[str, float, float, float]],
    verdict: str,
) -> None:
    assert compare(side(**before), side(**after)).verdict == verdict


def test_one_scope_alone() -> None:
    before, after = side(job=LEAK, mail=LEAK), side(job=STEADY, mail=LEAK)
    assert compare(before, after, scope="job").verdict == "fixed"
    assert [change.name for change in compare(before, after, scope="none").scopes] == ["none"]


def test_rounds_come_to_their_mean_with_bounds_closer_by_their_root() -> None:
    known = pooled([execution(job=LEAK)] * 4).scopes["job"].per_run
    assert (known.estimate, known.low, known.high) == (100 * KIB, 95 * KIB, 105 * KIB)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (LEAK, UNCERTAIN, "leak"),
        (LEAK, STEADY, "not enough data"),
        (STEADY, FILLS, "bounded growth"),
        (STEADY, UNCERTAIN, "not enough data"),
    ],
)
def test_rounds_that_differ(
    one: tuple[str, float, float, float], other: tuple[str, float, float, float], kind: str
) -> None:
    found = pooled([execution(job=one), execution(job=other)]).scopes["job"]
    assert found.kind == kind
    if {one, other} == {LEAK, STEADY}:
        assert found.per_run.high == math.inf
        assert found.reasons == ("some rounds leak and some do not",)


def test_figures_of_rounds_are_the_middle_and_the_ends() -> None:
    rounds = [Outcome({}, peak, seconds=seconds) for peak, seconds in ((5, 1.0), (9, 3.0), (6, None))]
    found = pooled(rounds)
    assert found.peak_rss_bytes == Spread(6, 5, 9)
    assert found.peak_python_bytes is None
    assert found.seconds == Spread(2.0, 1.0, 3.0)


# ---- from recordings ----


def recorded(kept: int, runs: int, first: int = 1) -> Outcome:
    """Return the outcome of a recording in which runs from `first` on leave `kept` large blocks each."""
    samples = [
        sample(1, 4 * MIB, run=run, scope=2, born=float(run), interval=1 << 14)
        for run in range(first, runs + 1)
        for _ in range(kept)
    ]
    allocated = 4.0 * MIB * max(kept, 1) * runs
    return outcome(
        recording(
            {1: stack("job /srv/job.py:5", allocated=allocated, blocks=float(runs))},
            samples,
            [point(0.0, rss=20 * MIB, python_in_use=5 * MIB), point(9.0, rss=30 * MIB, rss_peak=50 * MIB)],
            scopes={2: Scope("job", 2, runs, runs, 4.0 * MIB * kept * runs, 0.0)},
            interval_bytes=1 << 14,
            current_interval_bytes=1 << 14,
        )
    )


@pytest.mark.parametrize(("kept", "runs"), [(1, 20), (2, 100), (3, 300)])
def test_what_a_run_leaves_lies_in_the_interval(kept: int, runs: int) -> None:
    found = recorded(kept, runs).scopes["job"]
    assert (found.kind, found.runs) == ("leak", runs)
    assert found.per_run.low <= kept * 4 * MIB <= found.per_run.high
    assert found.per_run.high - found.per_run.low < 0.01 * MIB


@pytest.mark.parametrize(
    ("kept", "runs"), [(0, 0), (0, 1), (0, 8), (0, RUNS_LEAST - 1), (1, 0), (1, 1), (1, 8)]
)
def test_with_too_few_runs_nothing_is_known(kept: int, runs: int) -> None:
    found = recorded(kept, runs).scopes["job"]
    assert (found.kind, found.per_run.low, found.per_run.high) == ("not enough data", 0.0, math.inf)
    assert found.more_runs == RUNS_LEAST - runs


def test_peaks_are_over_the_beginning() -> None:
    found = recorded(1, 20)
    assert (found.peak_rss_bytes, found.peak_python_bytes, found.seconds) == (30 * MIB, 0, 9.0)
    bare = outcome(recording())
    assert (bare.peak_rss_bytes, bare.peak_python_bytes, bare.seconds) == (None, None, None)
    assert bare.scopes == {}
