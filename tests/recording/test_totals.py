"""Totals against truth that is known: blocks that were sampled by the rule, in many worlds."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

import outlive
from outlive.recording import totals
from tests.recording import synthetic

INTERVAL = 1 << 17


def sampled(sizes: list[int], interval: int, chance: random.Random) -> list[int]:
    """Return the sizes that a Poisson process by bytes catches."""
    return [size for size in sizes if chance.random() < -math.expm1(-size / interval)]


def test_the_interval_holds_the_truth_nineteen_times_in_twenty() -> None:
    """5 MB in small blocks, with some large; of 400 worlds at most 7 % may miss (binomial: p < 0.001)."""
    sizes = [100] * 20_000 + [3000] * 600 + [400_000] * 3
    truth = sum(sizes)
    chance = random.Random(5)  # noqa: S311 - a simulation
    missed, estimates = 0, []
    for _ in range(400):
        samples = [synthetic.sample(1, size, interval=INTERVAL) for size in sampled(sizes, INTERVAL, chance)]
        found = totals.in_use(synthetic.recording({1: synthetic.stack("f a.py:1")}, samples))
        estimates.append(found.estimate)
        missed += not found.low <= truth <= found.high
    assert missed <= 28
    assert sum(estimates) / len(estimates) == pytest.approx(truth, rel=0.03)


def test_one_block_by_hand() -> None:
    (site,) = totals.by_stack(
        synthetic.recording(
            {1: synthetic.stack("f a.py:1")}, [synthetic.sample(1, INTERVAL, interval=INTERVAL)]
        )
    )
    chance = 1 - math.exp(-1)
    assert site.in_use.estimate == pytest.approx(INTERVAL / chance)
    assert site.blocks == pytest.approx(1 / chance)
    assert site.samples == 1
    assert site.in_use.low < INTERVAL < site.in_use.high


def test_exact_samples_have_no_error() -> None:
    (site,) = totals.by_stack(
        synthetic.recording({1: synthetic.stack("f a.py:1")}, [synthetic.sample(1, 500, interval=1)] * 3)
    )
    assert (site.in_use.low, site.in_use.estimate, site.in_use.high) == pytest.approx((1500,) * 3)


STACKS = {
    1: synthetic.stack("put app/cache.py:5", "a app/a.py:1", allocated=10.0, blocks=1.0),
    2: synthetic.stack("put app/cache.py:5", "b app/b.py:1", allocated=20.0, blocks=2.0),
    3: synthetic.stack("put app/cache.py:6", "b app/b.py:1", allocated=40.0),
    4: synthetic.stack("get app/cache.py:9", allocated=80.0),
    5: synthetic.stack("load app/db.py:3", allocated=160.0),
    6: synthetic.stack(),
}
MIB = 1 << 20
SAMPLES = [synthetic.sample(stack, stack * 10 * MIB) for stack in (1, 2, 3, 4, 6)]


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (
            "stack",
            [
                (None, 60, 0),
                ("get", 40, 80),
                ("put", 30, 40),
                ("put", 20, 20),
                ("put", 10, 10),
                ("load", 0, 160),
            ],
        ),
        ("line", [(None, 60, 0), ("get", 40, 80), ("put", 30, 40), ("put", 30, 30), ("load", 0, 160)]),
        ("function", [(None, 60, 0), ("put", 60, 70), ("get", 40, 80), ("load", 0, 160)]),
        ("file", [("", 100, 150), (None, 60, 0), ("", 0, 160)]),
    ],
)
def test_sites_are_grouped_and_ordered(
    by: totals.Grouping, expected: list[tuple[str | None, int, float]]
) -> None:
    sites = totals.grouped(synthetic.recording(STACKS, SAMPLES), by)
    found = [
        (
            site.stack.frames[0].function if site.stack.frames else None,
            round(site.in_use.estimate / MIB),
            site.stack.allocated_bytes,
        )
        for site in sites
    ]
    assert sorted(found, key=str) == sorted(expected, key=str)
    assert [size for _, size, _ in found] == sorted((size for _, size, _ in expected), reverse=True)


def test_a_line_that_many_stacks_lead_to_is_one_frame() -> None:
    line = next(s for s in totals.grouped(synthetic.recording(STACKS, SAMPLES)) if s.samples == 2)
    assert [(frame.file, frame.line) for frame in line.stack.frames] == [("app/cache.py", 5)]
    assert line.stack.allocated_blocks == 3.0


OWN = str(Path(outlive.__file__).parent / "capture" / "timeline.py")


@pytest.mark.parametrize("file", [OWN, "/x/lib/python3.12/site-packages/outlive/capture/notes.py"])
def test_what_outlive_itself_allocated_is_left_out(file: str) -> None:
    stacks = {
        1: synthetic.stack(f"tick {file}:5", "run /lib/threading.py:1", allocated=9.0),
        2: synthetic.stack("f app.py:1", f"run {file}:9"),  # outlive run: the program's own
        3: synthetic.stack("f /x/site-packages/outlived/a.py:1"),
    }
    recorded = synthetic.recording(stacks, [synthetic.sample(number, MIB) for number in stacks])
    assert [site.stack.frames[0].function for site in totals.by_stack(recorded)] == ["f", "f"]
    assert round(totals.in_use(recorded).estimate / MIB, 2) == 2.0


def test_nothing_is_nothing() -> None:
    assert totals.grouped(synthetic.recording()) == []
    assert totals.in_use(synthetic.recording()).high == 0
