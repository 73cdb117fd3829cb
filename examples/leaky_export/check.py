"""Read an exported CSV back and compare every cell with the database."""

import csv
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from pathlib import Path

from examples.leaky_export.models import HEADER


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row of the file (1 is the header) that doesn't say what the database says."""

    row: int
    expected: list[str]
    found: list[str]


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome: every position that holds a cell in the file or ought to is one cell checked."""

    rows_expected: int
    rows_found: int
    rows_wrong: int
    cells_checked: int
    cells_wrong: int
    first_wrong: WrongRow | None


def check(database: Path, user_id: str, tenant_id: str, exported: Path) -> Check:
    """Compare ``exported`` with the rows of the user in ``database``, in memory that grows with neither.

    Rows are matched by position, as every reader of a CSV file does. A cell that is missing, one too many,
    or in a row too many is wrong; after a missing row, the rows behind it are as wrong as they look.
    """
    rows_expected = rows_found = rows_wrong = cells_checked = cells_wrong = 0
    first_wrong = None
    pairs = zip_longest(_rows_in_database(database, user_id, tenant_id), _rows_in_file(exported))
    for number, (truth, found) in enumerate(pairs, start=1):
        # The jobs write details as json.dumps does. Most databases hold that very text, so try it first.
        expected = truth if truth is None or truth == found or number == 1 else _as_dumped(truth)
        rows_expected += expected is not None
        rows_found += found is not None
        cells = list(zip_longest(expected or (), found or ()))
        wrong = sum(ought != cell for ought, cell in cells)
        cells_checked += len(cells)
        cells_wrong += wrong
        # An empty row where none belongs has no cell to be wrong, and is wrong all the same.
        if wrong or expected is None:
            rows_wrong += 1
            first_wrong = first_wrong or WrongRow(number, expected or [], found or [])
    return Check(rows_expected, rows_found, rows_wrong, cells_checked, cells_wrong, first_wrong)


def _as_dumped(row: list[str]) -> list[str]:
    return [*row[:-1], json.dumps(json.loads(row[-1]))]


def _rows_in_database(database: Path, user_id: str, tenant_id: str) -> Iterator[list[str]]:
    """Read the truth by other means than the jobs use: plain sqlite3, no ORM."""
    yield HEADER
    with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        query = (
            "SELECT timestamp, action, details FROM user_activity"
            " WHERE user_id = ? AND tenant_id = ? ORDER BY id"
        )
        for timestamp, action, details in connection.execute(query, (user_id, tenant_id)):
            # A JSON column has numeric affinity: SQLite keeps a bare number as one.
            text = details if isinstance(details, str) else json.dumps(details)
            yield [datetime.fromisoformat(timestamp).isoformat(), action, text]


def _rows_in_file(exported: Path) -> Iterator[list[str]]:
    # A byte that isn't UTF-8 is a wrong cell, not a crash.
    with exported.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        reader = csv.reader(file)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:  # such as a quote that never closes: a row that can't be read has no right cell
                row = []
            yield row
