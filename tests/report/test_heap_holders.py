"""Who holds it, as people see it."""

from __future__ import annotations

import pytest

from outlive.model.heap import Holder, Overdue, Root, Suspect, Total
from outlive.report.heap_holders import holders_text, last_step, overdue_text, suspects_text
from outlive.report.style import Style

MIB = 1 << 20
CACHED = Holder(
    count=100_000,
    retained_bytes=60 * MIB,
    root=Root("module", "app.cache"),
    path=("module app.cache", "CACHE", "['u42']", "Export.rows", "list[100000]", "UserActivity"),
    text="module app.cache → CACHE['u42'] → Export.rows → list[100000] → UserActivity",
    made="app/cache.py:7 remember",
)
CYCLE = Holder(1, 48, Root("garbage", ""), ("garbage", "UserActivity"), "garbage → \x1b[1mUserActivity")


def test_each_way_with_what_it_comes_to() -> None:
    assert (
        holders_text("UserActivity", [CACHED, CYCLE], None)
        == """\
100,000 objects, 60.0 MiB retained
    module app.cache → CACHE['u42'] → Export.rows → list[100000] → UserActivity
    made by app/cache.py:7 remember
1 object, 48 B retained · garbage: nothing holds it but a cycle: the collector frees it
    garbage → \N{REPLACEMENT CHARACTER}[1mUserActivity
"""
    )


def test_what_the_limit_leaves_out_is_said() -> None:
    assert holders_text("UserActivity", [CACHED, CYCLE], 1).endswith("\n1 more ways (--limit shows more)\n")


def test_a_narrow_terminal_breaks_a_path_and_cuts_nothing() -> None:
    lines = holders_text("UserActivity", [CACHED], None, Style(width=50)).splitlines()[1:]
    assert lines == [
        "    module app.cache → CACHE['u42'] → Export.rows",
        "      → list[100000] → UserActivity",
        "    made by app/cache.py:7 remember",
    ]


def test_what_the_interpreter_shares_is_said_first() -> None:
    text = holders_text("int", [CACHED], None, is_shared=True)
    assert text.startswith("Immortal: the interpreter keeps it for all who use it, and never frees it.")
    assert text.splitlines()[1:] == holders_text("int", [CACHED], None).splitlines()
    assert "Nothing holds" not in holders_text("int", [], None, is_shared=True)


@pytest.mark.parametrize(
    ("held", "type_name", "step"),
    [
        ("module app → CACHE['u42'] → Export", "app.Export", "CACHE['u42']"),
        ("module app → CACHE['u42'] → Export.rows → list[10]", "list", "Export.rows"),
        ("module app → class app.Registry", "type", "class app.Registry"),
        ("module app", "module", "module app"),
        ("Export", "app.Export", ""),
    ],
)
def test_by_what_name_it_hangs(held: str, type_name: str, step: str) -> None:
    assert last_step(held, type_name) == step


def test_nothing_holds_it() -> None:
    text = holders_text("UserActivity", [], None)
    assert text == "Nothing holds UserActivity but what outlive leaves out.\n"


def test_suspects() -> None:
    one = Suspect(
        1,
        "dict",
        60 * MIB,
        0.42,
        "module app.cache → CACHE",
        "module app.cache → CACHE['u42'] → Export.rows → list[100000]",
        (Total("app.UserActivity", 100_000, 7_200_000, 7_200_000),),
    )
    many = Suspect(12, "app.Job", MIB, 0.1, "thread MainThread → jobs", "", ())
    assert (
        suspects_text([one, many], None)
        == """\
1. dict: 60.0 MiB, 42% of all
   held by: drop a reference on the way to free it
    module app.cache → CACHE
   where it accumulates: set a limit here, or empty it
    module app.cache → CACHE['u42'] → Export.rows → list[100000]
   what accumulates: outlive why TYPE says who else holds it
       100,000      6.9 MiB  app.UserActivity

2. 12 of app.Job: 1.0 MiB, 10% of all
   the largest is held by: drop a reference on the way to free it
    thread MainThread → jobs
"""
    )
    assert suspects_text([one, many], 1).endswith("\n\n1 more (--limit shows more)\n")
    assert suspects_text([], None).startswith("No object")


def test_overdue() -> None:
    text = overdue_text([Overdue("app.Session", 2, 75.0, (CACHED,))])
    assert text.startswith("2 app.Session, watched up to 1 min 15 s ago\n100,000 objects, ")
    assert overdue_text([]) == "Nothing that is watched is overdue.\n"
