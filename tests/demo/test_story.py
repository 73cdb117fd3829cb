"""The closing words follow the figures."""

from dataclasses import replace

import pytest

from outlive.demo.outcome import Outcome, saving
from outlive.demo.story import tell

MIB = 1 << 20
BUGGY = Outcome(
    peak_rss_bytes=2_000 * MIB,
    peak_python_bytes=1_900 * MIB,
    base_rss_bytes=50 * MIB,
    rss_after_bytes=400 * MIB,
    rss_after_trim_bytes=90 * MIB,
    python_in_use_after_bytes=3 * MIB,
    rows_alive_after=0,
    seconds=12.34,
    rows_expected=3,
    rows_found=4,
    rows_wrong=2,
    cells_checked=9,
    cells_wrong=5,
    cells_extra=1_234,
    header_wrong=False,
    first_wrong={"row": 2, "expected": ["t", "a,b", "{}"], "found": ["t", *"abcdefgh"]},
)
STREAMING = replace(
    BUGGY,
    peak_rss_bytes=60 * MIB,
    rows_found=3,
    rows_wrong=0,
    cells_wrong=0,
    cells_extra=0,
    first_wrong=None,
)


_BLOAT = {"peak bloat", "The cure is to stream."}
_CLOSE = {"too close", "Try more rows: outlive demo --rows 5000"}


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_comparison_shows_both_jobs() -> None:
    text = flat(tell(BUGGY, STREAMING))
    assert "peak RSS 2000.0 MiB 60.0 MiB" in text
    assert "peak above that 1950.0 MiB 10.0 MiB" in text
    assert "rows in the database 3 3 rows in the file 4 3 wrong rows 2 of 3 0 of 3" in text
    assert "cells checked 9 9 wrong cells 5 0 cells too many 1,234 0" in text
    assert "Saving: 97.0%" in text


def test_saving_is_of_the_whole_process() -> None:
    assert saving(BUGGY, STREAMING) == pytest.approx(0.97)


def test_the_corrupt_row_stands_beside_the_true_one() -> None:
    text = tell(BUGGY, STREAMING)
    assert text.index("  2  'a,b'") < text.index("and reads") < text.index("  2  'a'\n")
    assert "and 3 more cells" in text


def test_long_cells_and_newlines_stay_on_one_line() -> None:
    wrong = {"row": 2, "expected": ["x" * 500, "a\nb"], "found": []}
    lines = tell(replace(BUGGY, first_wrong=wrong), STREAMING).splitlines()
    assert max(map(len, lines)) <= 100
    assert "  2  'a\\nb'" in lines


def test_nothing_is_said_of_corruption_where_there_is_none() -> None:
    assert "corrupt" not in tell(replace(BUGGY, first_wrong=None), STREAMING)


def test_no_survivors_is_peak_bloat_and_not_a_leak() -> None:
    text = flat(tell(BUGGY, STREAMING))
    assert "does not leak; its trouble is peak bloat" in text
    assert "0 of its UserActivity objects were alive, and 3.0 MiB" in text


def test_survivors_are_a_leak() -> None:
    text = flat(tell(replace(BUGGY, rows_alive_after=7), STREAMING))
    assert "that is a leak" in text
    assert "peak bloat" not in text


@pytest.mark.parametrize(
    ("buggy_rise", "streaming_rise", "told"),
    [
        (1.6, 1.7, _CLOSE),
        (14, 3.9, _BLOAT),
        (14, 4.1, _CLOSE),  # not 10 MiB more
        (100, 50, _BLOAT),
        (100, 50.1, _CLOSE),  # not twice as much
    ],
)
def test_a_verdict_needs_a_difference(buggy_rise: float, streaming_rise: float, told: set[str]) -> None:
    buggy, streaming = (
        replace(job, peak_rss_bytes=job.base_rss_bytes + round(rise * MIB))
        for job, rise in ((BUGGY, buggy_rise), (STREAMING, streaming_rise))
    )
    text = flat(tell(buggy, streaming))
    assert {phrase for phrase in _BLOAT | _CLOSE if phrase in text} == told


def test_survivors_are_a_leak_at_any_size() -> None:
    small = replace(BUGGY, peak_rss_bytes=STREAMING.peak_rss_bytes, rows_alive_after=7)
    assert "that is a leak" in flat(tell(small, STREAMING))


def test_what_came_back_is_named() -> None:
    text = flat(tell(BUGGY, STREAMING))
    assert "That is mostly allocator retention" in text
    assert "malloc_trim(0) gave 310.0 MiB of it back" in text


@pytest.mark.parametrize(
    ("after", "trimmed", "told"),
    [
        (400, 365, "That is in part allocator"),
        (400, 366, "too little to call it allocator"),  # less than a tenth of 350 MiB
        (52, 51, "That is in part allocator"),
        (52, 51.1, "too little to call it allocator"),  # less than 1 MiB
        (52, 53, "too little to call it allocator"),  # it grew meanwhile
    ],
)
def test_retention_is_said_where_much_came_back(after: float, trimmed: float, told: str) -> None:
    after_bytes, trimmed_bytes = round(after * MIB), round(trimmed * MIB)
    text = flat(
        tell(replace(BUGGY, rss_after_bytes=after_bytes, rss_after_trim_bytes=trimmed_bytes), STREAMING)
    )
    assert f"{told} retention" in text
    assert text.count("allocator retention") == 1


def test_without_malloc_trim_nothing_is_claimed_of_it() -> None:
    text = flat(tell(replace(BUGGY, rss_after_trim_bytes=None), STREAMING))
    assert "malloc_trim" not in text
    assert "allocator retention" not in text
    assert "50.0 MiB before the job, 400.0 MiB after it" in text
