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
    """The outcome. Rows and cells are those below the header."""

    rows_expected: int
    rows_found: int
    rows_wrong: int
    """Rows of the database that the file lacks or doesn't tell exactly; rows too many are not among them."""
    cells_checked: int
    """Cells of the database: each is looked for at its place in the file."""
    cells_wrong: int
    """Those that the file lacks or has otherwise."""
    cells_extra: int
    """Cells of the file where none belongs."""
    first_wrong: WrongRow | None
    header_wrong: bool

    @property
    def is_exact(self) -> bool:
        """Whether the file says what the database says: nothing else, nothing less and nothing more."""
        return self.first_wrong is None


def check(database: Path, user_id: str, tenant_id: str, exported: Path) -> Check:
    """Compare ``exported`` with the rows of the user in ``database``, in memory that grows with neither.

    Rows are matched by position, as every reader of a CSV file does; after a missing row, the rows behind
    it are as wrong as they look. Any row wrong, missing or too many makes the file inexact.
    """
    header_wrong = False
    rows_expected = rows_found = rows_wrong = cells_checked = cells_wrong = cells_extra = 0
    first_wrong = None
    pairs = zip_longest(_rows_in_database(database, user_id, tenant_id), _rows_in_file(exported))
    for number, (truth, found) in enumerate(pairs, start=1):
        # The jobs write details as json.dumps does. Most databases hold that very text, so try it first.
        expected = truth if truth is None or truth == found or number == 1 else _as_dumped(truth)
        wrong = expected != found
        if wrong and first_wrong is None:
            first_wrong = WrongRow(number, expected or [], found or [])
        if number == 1:
            header_wrong = wrong
            continue
        rows_expected += expected is not None
        rows_found += found is not None
        rows_wrong += wrong and expected is not None
        ought, cells = expected or [], found or []
        cells_checked += len(ought)
        cells_wrong += sum(one != other for one, other in zip_longest(ought, cells[: len(ought)]))
        cells_extra += max(0, len(cells) - len(ought))
    return Check(
        rows_expected=rows_expected,
        rows_found=rows_found,
        rows_wrong=rows_wrong,
        cells_checked=cells_checked,
        cells_wrong=cells_wrong,
        cells_extra=cells_extra,
        first_wrong=first_wrong,
        header_wrong=header_wrong,
    )


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
