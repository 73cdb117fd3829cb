"""The checker finds what was planted, and nothing else."""

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from examples.leaky_export.check import Check, WrongRow, check
from examples.leaky_export.seed import TENANT_ID, USER_ID
from tests.examples.conftest import MOMENT

ROWS: list[tuple[str, Any]] = [
    ("login", {}),
    ("a, b", {"n": [1, 2]}),
    ('said "no"', {"text": "x\ny"}),
    ("two\nlines", {"deep": {"er": [None, True, 1.5]}}),
]
EXPORTED = [
    ["timestamp", "action", "details"],
    *([MOMENT.isoformat(), action, json.dumps(details)] for action, details in ROWS),
]


@pytest.fixture
def database(make_database: Callable[[Iterable[tuple[str, Any]]], Path]) -> Path:
    return make_database(ROWS)


@pytest.fixture
def checked(database: Path, tmp_path: Path) -> Callable[[bytes], Check]:
    def run(content: bytes) -> Check:
        exported = tmp_path / "export.csv"
        exported.write_bytes(content)
        return check(database, USER_ID, TENANT_ID, exported)

    return run


def as_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def test_a_right_file_has_no_wrong_cell(checked: Callable[[bytes], Check]) -> None:
    outcome = checked(as_csv(EXPORTED))
    assert outcome == Check(4, 4, 0, 12, 0, 0, None, header_wrong=False)
    assert outcome.is_exact


@pytest.mark.parametrize("row", range(1, 5))
@pytest.mark.parametrize("column", range(3))
def test_one_changed_cell_is_one_wrong_cell(checked: Callable[[bytes], Check], row: int, column: int) -> None:
    rows = [list(cells) for cells in EXPORTED]
    rows[row][column] += " "
    assert checked(as_csv(rows)) == Check(
        4, 4, 1, 12, 1, 0, WrongRow(row + 1, EXPORTED[row], rows[row]), header_wrong=False
    )


@pytest.mark.parametrize("header", [["timestamp", "action", "Details"], ["timestamp"], [*EXPORTED[0], ""]])
def test_a_wrong_header_is_wrong_and_no_row(checked: Callable[[bytes], Check], header: list[str]) -> None:
    outcome = checked(as_csv([header, *EXPORTED[1:]]))
    assert outcome == Check(4, 4, 0, 12, 0, 0, WrongRow(1, EXPORTED[0], header), header_wrong=True)
    assert not outcome.is_exact


def test_a_missing_last_row(checked: Callable[[bytes], Check]) -> None:
    assert checked(as_csv(EXPORTED[:-1])) == Check(
        4, 3, 1, 12, 3, 0, WrongRow(5, EXPORTED[-1], []), header_wrong=False
    )


def test_a_missing_row_shifts_those_behind_it(checked: Callable[[bytes], Check]) -> None:
    outcome = checked(as_csv(EXPORTED[:2] + EXPORTED[3:]))
    # Rows 3 and 4 show their followers (the timestamps are all the same), row 5 is not there.
    assert outcome == Check(
        4, 3, 3, 12, 2 + 2 + 3, 0, WrongRow(3, EXPORTED[2], EXPORTED[3]), header_wrong=False
    )


def test_an_extra_row(checked: Callable[[bytes], Check]) -> None:
    outcome = checked(as_csv([*EXPORTED, EXPORTED[-1]]))
    assert outcome == Check(4, 5, 0, 12, 0, 3, WrongRow(6, [], EXPORTED[-1]), header_wrong=False)
    assert not outcome.is_exact


def test_an_extra_empty_line_is_a_row_too_many(checked: Callable[[bytes], Check]) -> None:
    outcome = checked(as_csv(EXPORTED) + b"\r\n")
    assert outcome == Check(4, 5, 0, 12, 0, 0, WrongRow(6, [], []), header_wrong=False)
    assert not outcome.is_exact


def test_an_extra_cell_and_a_missing_cell(checked: Callable[[bytes], Check]) -> None:
    longer, shorter = [*EXPORTED[1], ""], EXPORTED[2][:-1]
    outcome = checked(as_csv([EXPORTED[0], longer, shorter, *EXPORTED[3:]]))
    assert outcome == Check(4, 4, 2, 12, 1, 1, WrongRow(2, EXPORTED[1], longer), header_wrong=False)


def test_every_truncation_is_seen(checked: Callable[[bytes], Check]) -> None:
    whole = as_csv(EXPORTED)
    # Without its last line end, or the last cell's closing quote, a CSV file still says the same.
    for length in range(len(whole) - len(b'"\r\n')):
        assert not checked(whole[:length]).is_exact, length


def test_an_empty_file(checked: Callable[[bytes], Check]) -> None:
    assert checked(b"") == Check(4, 0, 4, 12, 12, 0, WrongRow(1, EXPORTED[0], []), header_wrong=True)


def test_bytes_that_are_not_utf_8_are_a_wrong_cell(checked: Callable[[bytes], Check]) -> None:
    outcome = checked(as_csv(EXPORTED).replace(b"login", b"log\xffn"))
    assert (outcome.rows_wrong, outcome.cells_wrong) == (1, 1)


def test_a_quote_that_never_closes_is_no_crash(checked: Callable[[bytes], Check]) -> None:
    outcome = checked(as_csv(EXPORTED[:2]) + b'"' + b"swallowed,\r\n" * 50_000)
    assert outcome.rows_found > 2
    assert outcome.cells_wrong >= 9


def test_other_json_spacing_in_the_database_is_no_wrong_cell(
    make_database: Callable[[Iterable[tuple[str, Any]]], Path], tmp_path: Path
) -> None:
    database = make_database([("login", {"a": [1, 2]})])
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("""UPDATE user_activity SET details = '{"a":[1,2]}'""")
        connection.commit()
    exported = tmp_path / "export.csv"
    exported.write_bytes(as_csv([EXPORTED[0], [MOMENT.isoformat(), "login", '{"a": [1, 2]}']]))
    assert check(database, USER_ID, TENANT_ID, exported).is_exact
