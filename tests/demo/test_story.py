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
    cells_checked=1_234,
    cells_wrong=567,
    first_wrong={"row": 2, "expected": ["t", "a,b", "{}"], "found": ["t", *"abcdefgh"]},
)
STREAMING = replace(
    BUGGY, peak_rss_bytes=60 * MIB, cells_checked=9, cells_wrong=0, first_wrong=None, rows_found=3
)


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_comparison_shows_both_jobs() -> None:
    text = flat(tell(BUGGY, STREAMING))
    assert "peak RSS 2000.0 MiB 60.0 MiB" in text
    assert "peak above that 1950.0 MiB 10.0 MiB" in text
    assert "cells checked 1,234 9" in text
    assert "wrong cells 567 0" in text
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


def test_what_came_back_is_named() -> None:
    assert "malloc_trim(0) gave 310.0 MiB of it back" in flat(tell(BUGGY, STREAMING))


def test_without_malloc_trim_nothing_is_claimed_of_it() -> None:
    assert "malloc_trim" not in tell(replace(BUGGY, rss_after_trim_bytes=None), STREAMING)
