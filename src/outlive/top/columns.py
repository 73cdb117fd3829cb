"""The columns of the table: on the live screen as much as in `--once`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from outlive.top import words

if TYPE_CHECKING:
    from collections.abc import Callable

    from outlive.top.rows import Row


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of each row, set to the right. It needs a screen of `width`; `sort` is its name in SORTS."""

    title: str
    sort: str
    width: int
    cell: Callable[[Row], str]


def _growth(row: Row) -> str:
    return words.signed(row.growth.estimate) if row.growth else ""


def _growth_interval(row: Row) -> str:
    if row.growth is None:
        return ""
    return f"{words.signed(row.growth.low)} to {words.signed(row.growth.high)}"


_COLUMNS = (
    Column("MiB in use", "in use", 0, lambda row: words.bare(row.in_use.estimate)),
    Column("95 %", "", 0, lambda row: words.interval(row.in_use)),
    Column("growth", "growth", 50, _growth),
    Column("95 %", "", 110, _growth_interval),
    Column("blocks", "blocks", 60, lambda row: f"{round(row.blocks):,}"),
    Column("age", "age", 72, lambda row: words.age(row.age)),
)


def fitting(width: int, *, marked: bool) -> list[Column]:
    """Return the columns that a screen so wide has room for; growth only where there is a mark."""
    return [
        column
        for column in _COLUMNS
        if width >= column.width and (marked or column.cell not in (_growth, _growth_interval))
    ]


def widths(columns: list[Column], rows: list[Row]) -> list[int]:
    """Return how wide each column must be for its title, a mark beside it, and these rows."""
    return [
        max(len(column.title) + (2 if column.sort else 0), *(len(column.cell(row)) for row in rows), 0)
        for column in columns
    ]
