"""What grew from census to census."""

from __future__ import annotations

from outlive.heap import growth
from outlive.model.heap import Change, Total


def census(**counts: int) -> list[Total]:
    return [Total(name, count, 10 * count, 100 * count) for name, count in counts.items()]


def names(changes: list[Change]) -> list[str]:
    return [change.name for change in changes]


def test_what_changed_the_largest_growth_first() -> None:
    before = census(same=5, more=1, most=1, less=9, gone=2)
    after = census(same=5, more=3, most=9, less=1, new=1)
    changes = growth.changes([before, after])
    assert names(changes) == ["most", "more", "new", "gone", "less"]
    assert changes[0] == Change("most", (1, 9), (10, 90), (100, 900))
    assert changes[2] == Change("new", (0, 1), (0, 10), (0, 100))


def test_three_censuses_in_a_row() -> None:
    changes = growth.changes([census(a=1), census(a=7), census(a=2)])
    assert changes == [Change("a", (1, 7, 2), (10, 70, 20), (100, 700, 200))]


def test_grown_is_what_never_shrank() -> None:
    censuses = [
        census(leak=1, saw=1, once=1, late=1, gone=1),
        census(leak=2, saw=5, once=4, late=1),
        census(leak=3, saw=4, once=4, late=9, new=2),
    ]
    assert names(growth.grown(censuses)) == ["late", "once", "leak", "new"]
    assert names(growth.grown(censuses, limit=1)) == ["late"]


def test_as_many_but_larger_is_growth() -> None:
    before, after = [Total("list", 1, 56, 56)], [Total("list", 1, 8056, 8056)]
    assert names(growth.grown([before, after])) == ["list"]


def test_retained_alone_is_no_change() -> None:
    assert growth.changes([[Total("dict", 1, 64, 64)], [Total("dict", 1, 64, 999)]]) == []
