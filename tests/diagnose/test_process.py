"""Verdicts on whole processes, from timelines and breakdowns made up so that the truth is plain."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING

import pytest

from outlive.diagnose import process
from outlive.diagnose.survivors import survivors
from outlive.model.breakdown import Breakdown
from outlive.model.recording import OpenRun, Point, Scope
from tests.recording import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable

    from outlive.diagnose.process import ProcessVerdict
    from outlive.model.recording import Recording

MIB = 1 << 20


def native_growth(recorded: Recording) -> ProcessVerdict:
    return process.native_growth(recorded, survivors(recorded))


def verdicts(recorded: Recording) -> list[ProcessVerdict]:
    return process.verdicts(recorded, survivors(recorded))


def parts(  # noqa: PLR0913 - what a breakdown is made of
    *,
    python: int | None = 40,
    python_free: int | None = 2,
    malloc: int | None = 10,
    malloc_free: int | None = 3,
    anonymous: int = 1,
    large: int | None = 5,
) -> Breakdown:
    """A breakdown in MiB, with 20 MiB of code."""
    known = [20, anonymous, *(each or 0 for each in (python, python_free, malloc, malloc_free))]
    return Breakdown(
        rss=sum(known) * MIB,
        python_in_use=_bytes(python),
        python_free=_bytes(python_free),
        malloc_in_use=_bytes(malloc),
        malloc_free=_bytes(malloc_free),
        anonymous=anonymous * MIB,
        file=20 * MIB,
        stacks=0,
        unexplained=0,
        python_large=_bytes(large),
    )


def _bytes(size: int | None) -> int | None:
    return None if size is None else size * MIB


recording = partial(synthetic.recording, breakdown=parts())


def test_retention() -> None:
    found = process.retention(recording(breakdown=parts(python=20, python_free=60, malloc_free=300)))
    assert found.kind == "allocator retention"
    assert found.size_bytes == 360 * MIB
    assert "malloc has 300.0 MiB, which trimming gives back" in found.reasons[1]


@pytest.mark.parametrize(
    "divided",
    [
        parts(),
        parts(malloc_free=28),  # too little to matter
        parts(python=400, malloc_free=300),  # more is in use
        parts(malloc_free=60, anonymous=400),  # most of RSS is something else
    ],
)
def test_no_retention(divided: Breakdown) -> None:
    assert process.retention(recording(breakdown=divided)).kind == "steady"


@pytest.mark.parametrize("divided", [None, parts(malloc_free=None), parts(python_free=None)])
def test_retention_that_nobody_can_tell(divided: Breakdown | None) -> None:
    assert process.retention(synthetic.recording(breakdown=divided)).kind == "not enough data"


def at_peak(peak: int, python: int | None = 40) -> process.ProcessVerdict:
    timeline = [synthetic.point(1.0, rss=50 * MIB, rss_peak=peak * MIB), synthetic.point(2.0, rss=90 * MIB)]
    return process.process_peak(synthetic.recording(timeline=timeline, breakdown=parts(python=python)))


def test_a_peak_of_rss() -> None:
    assert at_peak(2355).kind == "peak bloat"
    assert at_peak(2355).size_bytes == (2355 - 70) * MIB
    assert at_peak(150).kind == "steady"
    assert at_peak(2355, python=800).kind == "steady"
    assert at_peak(2355, python=None).kind == "not enough data"
    assert process.process_peak(recording()).kind == "not enough data"


@pytest.mark.parametrize(
    ("high", "left", "ended", "kind"),
    [
        (500, 1, 3, "peak bloat"),
        (500, 0, 3, "peak bloat"),
        (500, 400, 3, "steady"),
        (15, 0, 3, "steady"),
        (500, 1, 0, "not enough data"),
    ],
)
def test_a_scopes_peak(high: int, left: int, ended: int, kind: str) -> None:
    scopes = {2: Scope("export", 2, 3, ended, left * MIB, high * MIB)}
    recorded = recording(scopes=scopes)
    found = process.scope_peak(recorded, survivors(recorded)[0])
    assert (found.kind, found.scope) == (kind, "export")


def timeline(shape: str, points: int = 120, seed: int = 1) -> list[Point]:
    """What malloc has in use, once every half minute, measured to within 2 MiB."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    shapes: dict[str, Callable[[int], float]] = {
        "leak": lambda i: 50 + i,
        "flat": lambda _: 50,
        "warm-up": lambda i: 50 + 3 * min(i, points // 4),
        "step": lambda i: 50 if i < points // 2 else 150,
        "sawtooth": lambda i: 50 + i % 17 * 5,
        "levels off": lambda i: 50 + 100 * (1 - 0.96**i),
        "random walk to and fro": lambda i: 80 + 30 * ((i // 30) % 2),
    }
    return [
        synthetic.point(30.0 * i, malloc_in_use=round((shapes[shape](i) + chance.gauss(0, 2)) * MIB))
        for i in range(points)
    ]


def test_native_growth_by_the_timeline() -> None:
    missed = 0
    for seed in range(50):
        found = native_growth(recording(timeline=timeline("leak", seed=seed)))
        assert found.kind == "native growth"
        assert found.slope is not None
        missed += not found.slope.low <= MIB / 30 <= found.slope.high
        assert found.size_bytes == pytest.approx(77 * MIB, rel=0.15)
    assert missed <= 6  # binomial: 2 in 100, p < 0.001


@pytest.mark.parametrize(
    "shape", ["flat", "warm-up", "step", "sawtooth", "levels off", "random walk to and fro"]
)
def test_what_malloc_holds_without_growing_on(shape: str) -> None:
    for seed in range(100):
        found = native_growth(recording(timeline=timeline(shape, seed=seed)))
        assert found.kind == "steady", found.reasons


def test_a_timeline_too_short_or_unknown() -> None:
    assert native_growth(recording()).kind == "not enough data"
    short = native_growth(recording(timeline=timeline("leak", points=12)))
    assert "8 times after warm-up; it takes 12" in short.reasons[0]
    unsampled = synthetic.recording(timeline=timeline("leak"), breakdown=parts(large=None))
    assert "can't be told" in native_growth(unsampled).reasons[0]


def test_native_growth_by_runs() -> None:
    """An extension keeps a buffer per run; sampled with --native."""
    blocks = [synthetic.sample(1, 5 * MIB, scope=2, run=run, native=True) for run in range(1, 61)]
    stacks = {1: synthetic.stack("encode app/codec.py:9", allocated=301.0 * MIB)}
    scopes = {2: Scope("encode", 2, 60, 60, 300.0 * MIB, 300.0 * MIB)}
    found = native_growth(recording(stacks, blocks, scopes=scopes))
    assert (found.kind, found.scope) == ("native growth", "encode")
    assert found.size_bytes == pytest.approx(300 * MIB)
    assert "5.0 MiB a run outlives it" in found.reasons[0]
    python = [synthetic.sample(1, 5 * MIB, scope=2, run=run) for run in range(1, 61)]
    assert native_growth(recording(stacks, python, scopes=scopes)).kind == "not enough data"


def test_all_verdicts_worst_first() -> None:
    peaked = [synthetic.point(1.0, rss_peak=3000 * MIB), *timeline("flat")]
    scopes = {2: Scope("export", 2, 3, 3, 0.0, 2000.0 * MIB)}
    found = verdicts(recording(timeline=peaked, breakdown=parts(malloc_free=500), scopes=scopes))
    assert [(each.kind, each.scope) for each in found] == [
        ("peak bloat", ""),
        ("peak bloat", "export"),
        ("allocator retention", ""),
    ]


def test_nothing_is_the_matter() -> None:
    calm = [synthetic.point(1.0, rss=90 * MIB), *timeline("flat")]
    (found,) = verdicts(recording(timeline=calm))
    assert found.kind == "steady"
    assert len(found.reasons) == 4


def test_nothing_is_known() -> None:
    (found,) = verdicts(synthetic.recording(open_runs=(OpenRun(2, 1, 0.0),)))
    assert found.kind == "not enough data"
    assert len(found.reasons) == 3
