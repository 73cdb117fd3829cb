"""A closure that SQLite, not Python, keeps.

3 held by native reference: count → rows → list[3]
"""

import sqlite3
import sys

import outlive


class Leaked:
    pass


def connect() -> sqlite3.Connection:
    rows = [Leaked() for _ in range(3)]

    def count() -> int:
        return len(rows)

    connection = sqlite3.connect(":memory:")
    connection.create_function("row_count", 0, count)
    return connection


CONNECTIONS = [connect()]

outlive.snapshot(sys.argv[1])
