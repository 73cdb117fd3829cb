"""Rows as the tests know them: written and read without a line of the service's own code."""

import csv
import io
import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

Cells = tuple[str, str, str]

SCHEMA = """
    CREATE TABLE IF NOT EXISTS user_activity (
        id INTEGER PRIMARY KEY, tenant_id TEXT NOT NULL, user_id TEXT NOT NULL,
        timestamp TEXT NOT NULL, action TEXT NOT NULL, details TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS user_activity_by_owner ON user_activity (tenant_id, user_id, id);
"""

NASTY = [
    "",
    " ",
    "plain",
    ",",
    '"',
    '""',
    '","',
    'say "hi", twice',
    "two\nlines",
    "two\r\nlines",
    "old\rmac",
    "\n",
    "\r",
    "\r\n",
    "ends with \r",
    '"\r\n"',
    " leading and trailing ",
    "\ttab",
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\uff1d1",  # full-width =
    "'",
    "''",
    "'=1+1",
    "it's",
    "Größe 27\u2033",
    "naïve café 世界 Привет",
    "👩\u200d🚀 🇪🇺",
    "\ufeffbom",
    "a\u2028b\x85c\x0bd",  # what str.splitlines takes for line ends, and CSV must not
    '{"a": "b, \\"c\\"\\n"}',
    "\\",
    ";",
]


def nasty_rows() -> list[Cells]:
    """Every nasty cell in each of the columns that hold free text."""
    return [
        ("2024-01-01T08:00:00+00:00", action, details)
        for action in NASTY
        for details in (action[::-1], json.dumps({"text": action}), json.dumps([action], ensure_ascii=False))
    ]


def big_rows(count: int, cell_bytes: int) -> list[Cells]:
    """Rows whose details are about that large, each its own."""
    text = '"äb,' * (cell_bytes // 5)
    return [("2024-01-01T08:00:00+00:00", "edit", f"{number} {text}") for number in range(count)]


def insert(database: Path, tenant_id: str, user_id: str, rows: Iterable[Cells]) -> None:
    """Add rows of a user, making the table where it is missing."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executescript(SCHEMA)
        connection.executemany(
            "INSERT INTO user_activity VALUES (NULL, ?, ?, ?, ?, ?)",
            ((tenant_id, user_id, *row) for row in rows),
        )


def stored(database: Path, tenant_id: str, user_id: str) -> list[Cells]:
    """Return a user's rows as the database holds them."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(
            "SELECT timestamp, action, details FROM user_activity"
            " WHERE tenant_id = ? AND user_id = ? ORDER BY id",
            (tenant_id, user_id),
        ).fetchall()


def read_back(content: bytes) -> list[Cells]:
    """Return the rows of an exported file, checking its header and taking off the formula guard."""
    header, *lines = csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
    assert header == ["timestamp", "action", "details"]
    assert content.endswith(b"\r\n")
    rows = []
    for timestamp, action, details in lines:
        rows.append((timestamp.removeprefix("'"), action.removeprefix("'"), details.removeprefix("'")))
    return rows
