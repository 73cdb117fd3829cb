"""Figures of a heap, as people see them."""

from __future__ import annotations

import time

import pytest

from outlive.model.estimate import Estimate
from outlive.model.heap import Change, Duplicate, SnapshotInfo, Total
from outlive.report.heap_table import (
    census_table,
    duplicates_table,
    growth_table,
    rows_table,
    snapshot_line,
)
from outlive.report.style import Style

MIB = 1 << 20
HOSTILE = "app.\x1b[31mRed\n<script>"
TOTALS = [
    Total("dict", 125_000, 29 * MIB, 60 * MIB),
    Total("app.UserActivity", 100_000, 7_200_000, 7_200_000),
    Total(HOSTILE, 1, 48, 2_000),
]


@pytest.fixture(autouse=True)
def _greenwich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_census() -> None:
    assert (
        census_table(TOTALS, 2)
        == """\
       Count      Shallow     Retained  Type
     125,000     29.0 MiB     60.0 MiB  dict
     100,000      6.9 MiB      6.9 MiB  app.UserActivity
           1         48 B               in 1 more (--limit shows more)

Retained: their own size and what one of them alone keeps alive; what several keep together is in none.
"""
    )


def test_a_census_of_lines_is_of_estimates_with_their_intervals() -> None:
    sites = [Total("app/a.py:5 make", 12, 3 << 10, 4 << 10, Estimate(3 << 10, 2 << 10, 5 << 10))] * 2
    assert (
        census_table(sites, 1, what="Site")
        == """\
       Count      Shallow  95 % interval                Retained  Site
          12      3.0 KiB  2.0 KiB to 5.0 KiB            4.0 KiB  app/a.py:5 make
          12      3.0 KiB                                         in 1 more (--limit shows more)

Estimates, from samples: 19 times in 20 the shallow bytes lie in the interval.
Retained: what objects made there keep alive, themselves included.
"""
    )


def test_a_census_of_nothing() -> None:
    assert census_table([], None) == "There is nothing.\n"


def test_names_steer_no_terminal() -> None:
    text = census_table(TOTALS, None)
    assert "\x1b" not in text
    assert "app.\N{REPLACEMENT CHARACTER}[31mRed\N{REPLACEMENT CHARACTER}<script>\n" in text


def test_a_narrow_terminal_cuts_rows() -> None:
    rows = census_table(TOTALS, None, Style(is_coloured=True, width=50)).splitlines()
    assert rows[2].endswith("app.UserA…")
    assert len(rows[2]) == 50


def test_growth() -> None:
    changes = [
        Change("app.UserActivity", (0, 100, 250), (0, 7_200, 18_000), (0, 9_000, 20_000)),
        Change("dict", (10, 8, 12), (1_000, 800, 1_200), (1_000, 800, 900)),
        Change("str", (5, 4, 4), (500, 400, 400), (500, 400, 400)),
    ]
    assert (
        growth_table(changes, 2)
        == """\
      Growth      Shallow     Retained  Count in each  Type
        +250    +17.6 KiB    +19.5 KiB  0 → 100 → 250  app.UserActivity
          +2       +200 B       -100 B  10 → 8 → 12    dict
                                                       in 1 more (--limit shows more)

Growth: from the first to the last, in objects and in bytes.
"""
    )
    coloured = growth_table(changes, None, Style(is_coloured=True)).splitlines()
    assert not coloured[1].startswith("\x1b[2m")  # grew each time
    assert coloured[2].startswith("\x1b[2m")  # shrank in between
    assert "Grey: not more each time." in coloured[-1]
    assert growth_table([], None) == "Nothing changed.\n"


def test_duplicates() -> None:
    found = [
        Duplicate("str", 1_000, 60, 59_940, ("module app → KEYS", "app.Row.status")),
        Duplicate("tuple", 3, 64, 128, ()),
    ]
    assert (
        duplicates_table(found, 1)
        == """\
     Wasted       Times   Bytes each  Type, and what holds it
   58.5 KiB       1,000           60  str
                                        module app → KEYS
                                        app.Row.status
      128 B                           in 1 more (--limit shows more)
"""
    )
    assert duplicates_table([], None) == "No value is kept more than once.\n"


def test_rows_of_a_query() -> None:
    rows = [("dict", 12, None), ("x" * 70, 3, 1.5)]
    assert (
        rows_table(("type", "n", "mean"), rows)
        == f"""\
type{" " * 56}   n  mean
dict{" " * 56}  12
{"x" * 59}…   3  1.5

2 rows
"""
    )
    assert rows_table(("type",), []) == "type\n\n0 rows\n"


def test_whose_snapshot_it_is() -> None:
    info = SnapshotInfo(4711, "3.12.1", 1_700_000_000.0, 0.0123, 1.5, 1_234_567, 7_654_321, 700 * MIB)
    assert snapshot_line("now.heap", info) == (
        "now.heap  pid 4711, Python 3.12.1, 2023-11-14 22:13:20: 1,234,567 objects, 7,654,321 references, "
        "RSS 700.0 MiB; stood still for 12 ms"
    )
