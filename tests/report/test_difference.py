"""What grew, as people and scripts see it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from outlive.report.difference import difference_json, difference_table
from outlive.report.style import Style
from tests.recording.synthetic import recording, sample, stack

if TYPE_CHECKING:
    from outlive.model.recording import Recording

MIB = 1 << 20
STACKS = {
    1: stack("remember /srv/cache.py:5", "serve /srv/app.py:9"),
    2: stack("load /srv/rows.py:2", "serve /srv/app.py:9"),
    3: stack("drop /srv/rows.py:7"),
}
# Blocks so much larger than the interval that their sizes are the truth.
STAYS = sample(1, 50 * MIB, address=4096, born=1.0)
GOES = sample(3, 20 * MIB, address=8192, born=1.0)
COMES = [sample(2, 8 * MIB, address=12288 + at, born=9.0) for at in range(3)]


def moments() -> tuple[Recording, Recording]:
    """Two of one process: 50 MiB stay, 20 go, three blocks of 8 come."""
    return (
        recording(STACKS, [STAYS, GOES], notes={"program": "serve.py"}),
        recording(STACKS, [STAYS, *COMES], notes={"program": "serve.py"}),
    )


def test_growth_first_then_what_shrank_and_nothing_that_stayed() -> None:
    lines = difference_table(*moments(), "line", 20, Style()).splitlines()
    assert lines[2].startswith("Growth    +4.0 MiB (")
    rows = [line for line in lines if "/srv/" in line]
    assert [(row.split()[0], row.split()[-2:]) for row in rows] == [
        ("+24.0", ["/srv/rows.py:2", "load"]),
        ("-20.0", ["/srv/rows.py:7", "drop"]),
    ]


def test_what_the_limit_leaves_out_is_said() -> None:
    text = difference_table(*moments(), "line", 1, Style())
    assert "  -20.0 MiB  in 1 more (--limit shows more)\n" in text


def test_by_stack_the_callers_follow() -> None:
    text = difference_table(*moments(), "stack", 1, Style())
    assert text.index("/srv/rows.py:2 load") < text.index("/srv/app.py:9 serve")


def test_one_moment_twice_has_no_difference() -> None:
    before, _ = moments()
    assert "No site changed." in difference_table(before, before, "line", 20, Style())


def test_two_processes_are_said_to_be_two() -> None:
    before, after = moments()
    other = replace(after, process=replace(after.process, pid=1))
    assert "two processes" in difference_table(before, other, "line", 20, Style())
    assert "two processes" not in difference_table(before, after, "line", 20, Style())


def test_the_wrong_way_round_is_said_and_hides_nothing() -> None:
    before, after = moments()  # `after` knows of a block that is born later
    text = difference_table(after, before, "line", 1, Style())
    assert "the first is the later one; swap them to see growth" in text
    assert "/srv/rows.py:2 load" in text  # though 20 MiB grew, that way round
    assert difference_json(after, before, "line", None)["reversed"] is True
    assert "swap" not in difference_table(before, after, "line", 1, Style())


def test_of_two_processes_one_that_began_when_the_other_had_ended_is_later() -> None:
    before, after = moments()
    next_day = replace(after, process=replace(after.process, pid=1, began=after.process.began + 86400))
    beside = replace(after, process=replace(after.process, pid=1, began=after.process.began + 1))
    assert difference_json(next_day, before, "line", None)["reversed"] is True
    assert difference_json(beside, before, "line", None)["reversed"] is False


def test_if_all_shrank_the_largest_change_comes_first() -> None:
    before = recording(STACKS, [STAYS, GOES])
    text = difference_table(before, recording(STACKS, []), "line", 1, Style())
    assert "/srv/cache.py:5 remember" in text
    assert "-20.0 MiB  in 1 more" in text


def test_json() -> None:
    document = difference_json(*moments(), "stack", None)
    assert document["reversed"] is False
    assert document["schema"] == 1
    whole = document["grown_bytes"]
    assert isinstance(whole, dict)
    assert whole["low"] <= whole["estimate"] == 4 * MIB <= whole["high"]
    sites = document["sites"]
    assert isinstance(sites, list)
    first, second = sites
    assert (first["grown_bytes"]["estimate"], first["grown_blocks"]) == (24 * MIB, 3.0)
    assert first["before_bytes"]["estimate"] == 0
    assert first["after_bytes"]["estimate"] == 24 * MIB
    assert first["beyond_chance"] is True
    assert first["stack"] == [
        {"function": "load", "file": "/srv/rows.py", "line": 2},
        {"function": "serve", "file": "/srv/app.py", "line": 9},
    ]
    assert second["grown_bytes"]["estimate"] == -20 * MIB
    limited = difference_json(*moments(), "stack", 1)
    assert (limited["sites"], limited["sites_left_out"]) == ([first], 1)
