"""A closure that a connection calls for each row.

3 held by module: __main__ → CONNECTIONS → Connection → row_factory → make_row → rows → list[3]
"""

import sqlite3
import sys

import outlive


class Leaked:
    pass


def connect() -> sqlite3.Connection:
    rows = [Leaked() for _ in range(3)]

    def make_row(_cursor: sqlite3.Cursor, row: tuple[object, ...]) -> object:
        return row, rows

    connection = sqlite3.connect(":memory:")
    connection.row_factory = make_row
    return connection


CONNECTIONS = [connect()]

outlive.snapshot(sys.argv[1])
