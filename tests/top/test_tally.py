"""What the table says of samples whose truth is known: each block is 1 MiB and certain to be sampled."""

import pytest

from outlive.recording import totals
from outlive.top.rows import Choice, fitted
from outlive.top.tally import Tally
from tests.recording import synthetic
from tests.top.recorded import MIB, STACKS, blocks, shop

NOW = shop([*blocks(1, 3, born=40.0), *blocks(2, 2, born=90.0), *blocks(3, 4)])


def held(choice: Choice) -> list[tuple[str, int]]:
    return [(row.name, round(row.in_use.estimate / MIB)) for row in Tally(NOW).rows(choice)]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(), [("/srv/shop/cache.py:5 remember", 5), ("/srv/shop/export.py:41 rows", 4)]),
        (Choice("function"), [("/srv/shop/cache.py remember", 5), ("/srv/shop/export.py rows", 4)]),
        (Choice("file"), [("/srv/shop/cache.py", 5), ("/srv/shop/export.py", 4)]),
        (
            Choice("stack"),
            [
                ("/srv/shop/export.py:41 rows ← /srv/shop/app.py:10", 4),
                ("/srv/shop/cache.py:5 remember ← /srv/shop/app.py:10", 3),
                ("/srv/shop/cache.py:5 remember ← /srv/shop/app.py:30", 2),
            ],
        ),
        (Choice(filter="WARM"), [("/srv/shop/cache.py:5 remember", 2)]),
        (
            Choice(filter="app.py:10"),
            [("/srv/shop/export.py:41 rows", 4), ("/srv/shop/cache.py:5 remember", 3)],
        ),
        (Choice(filter="no such"), []),
    ],
)
def test_grouped_and_filtered(choice: Choice, expected: list[tuple[str, int]]) -> None:
    assert held(choice) == expected


def test_the_whole_is_what_other_reports_say() -> None:
    small = synthetic.recording(STACKS, [synthetic.sample(1, 5000), synthetic.sample(3, 70_000)] * 20)
    assert Tally(small).in_use == totals.in_use(small)
    assert [row.in_use for row in Tally(small).rows(Choice())] == [
        site.in_use for site in totals.grouped(small) if site.samples
    ]


def test_growth_is_what_came_less_what_went() -> None:
    mark = shop([*blocks(1, 3), *blocks(3, 4)])
    now = shop([*blocks(1, 3), *blocks(1, 6, first=10, born=50.0), *blocks(3, 1)])
    rows = {row.name: row for row in Tally(now, mark).rows(Choice(sort="growth"))}
    assert list(rows) == ["/srv/shop/cache.py:5 remember", "/srv/shop/export.py:41 rows"]
    cache, export = (row.growth for row in rows.values())
    assert cache is not None
    assert export is not None
    assert round(cache.estimate / MIB, 1) == 6
    assert round(export.estimate / MIB, 1) == -3
    assert cache.low > 0 > export.high


def test_a_site_that_lost_all_is_still_told() -> None:
    (gone,) = (row for row in Tally(shop([]), shop(blocks(3, 4))).rows(Choice()))
    assert (gone.in_use.estimate, gone.age, gone.blocks) == (0, None, 0)
    assert gone.growth is not None
    assert round(gone.growth.estimate / MIB, 1) == -4


def test_a_block_at_the_address_of_a_dead_one_is_another() -> None:
    (row,) = Tally(shop(blocks(1, 4, born=60.0)), shop(blocks(3, 4) + blocks(1, 4))).rows(
        Choice(filter="cache")
    )
    assert row.growth is not None
    assert row.growth.estimate == 0
    assert row.growth.low < 0 < row.growth.high


def test_without_change_nothing_is_said_of_growth() -> None:
    assert {row.growth for row in Tally(NOW, NOW).rows(Choice())} == {None}


def test_numbers_of_stacks_may_be_given_anew() -> None:
    mark = shop(blocks(3, 4))
    moved = synthetic.recording({7: STACKS[3]}, [synthetic.sample(7, address=1)], process={"pid": 4321})
    (row,) = Tally(moved, mark).rows(Choice())
    assert row.growth is not None
    assert round(row.growth.estimate / MIB, 1) == -3


def test_age_is_how_long_bytes_have_lived() -> None:
    ages = {row.name: row.age for row in Tally(NOW).rows(Choice("stack", "age"))}
    assert [round(age or 0) for age in ages.values()] == [99, 60, 10]


def test_own_memory_is_left_out() -> None:
    file = totals.__file__
    own = synthetic.recording({1: synthetic.stack(f"x {file}:1")}, [synthetic.sample(1)])
    assert Tally(own).rows(Choice()) == []
    assert Tally(own).in_use.estimate == 0


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (80, "app/jobs/export.py:41 rows"),
        (25, "…/jobs/export.py:41 rows"),
        (20, "…/export.py:41 rows"),
        (10, "…/export.…"),
        (0, "…"),
    ],
)
def test_outer_folders_go_first(room: int, expected: str) -> None:
    assert fitted("app/jobs/export.py:41 rows", room) == expected
