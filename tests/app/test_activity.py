import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.db.engine import open_engine
from app.rows.activity import _SELECT, BATCH_ROWS, read_activity
from tests.app.activity import insert, nasty_rows, stored

_MANY = [(f"2024-01-01T00:00:{number % 60:02}", "a", str(number)) for number in range(3 * BATCH_ROWS + 1)]


def _details(database: Path, tenant_id: str = "acme", user_id: str = "u1") -> list[str]:
    return [row[2].decode() for batch in read_activity(database, tenant_id, user_id) for row in batch]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "a ?#%20.sqlite"  # what a URI would take for its own
    with open_engine(path):
        insert(path, "acme", "u1", _MANY)
    return path


def test_a_missing_database_is_an_error_and_stays_missing(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        list(read_activity(tmp_path / "none.sqlite", "acme", "u1"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database" * 1000)
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        list(read_activity(tmp_path / "text", "acme", "u1"))


def test_only_the_tenants_own_user_is_read(database: Path) -> None:
    insert(database, "umbrella", "u1", [("2024", "foreign", "{}")])
    insert(database, "acme", "u2", [("2024", "other", "{}")])
    assert _details(database) == [row[2] for row in _MANY]
    assert _details(database, "umbrella", "u2") == []
    assert _details(database, "acme", "u1' OR '1'='1") == []


def test_rows_come_as_bytes_of_utf8(database: Path) -> None:
    insert(database, "acme", "nasty", nasty_rows())
    rows = [row for batch in read_activity(database, "acme", "nasty") for row in batch]
    assert rows == [tuple(cell.encode() for cell in row) for row in stored(database, "acme", "nasty")]


def test_rows_come_in_the_order_of_their_id(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE user_activity SET id = -id WHERE details = '5'")
    assert _details(database) == ["5", *[row[2] for row in _MANY if row[2] != "5"]]


def test_an_export_is_one_moment(database: Path) -> None:
    with closing(read_activity(database, "acme", "u1")) as batches:
        read = [row[2].decode() for row in next(batches)]
        insert(database, "acme", "u1", [("2024", "late", "late")])
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("DELETE FROM user_activity WHERE details = '150'")
            connection.execute("UPDATE user_activity SET details = 'changed' WHERE details = '160'")
        read += [row[2].decode() for batch in batches for row in batch]
    assert read == [row[2] for row in _MANY]


def test_closing_early_ends_the_snapshot(database: Path) -> None:
    def checkpoint_blocked() -> bool:
        with closing(sqlite3.connect(database, timeout=0)) as connection:
            connection.execute("INSERT INTO user_activity VALUES (NULL, 't', 'u', '2024', 'a', '{}')")
            connection.commit()
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return bool(busy)

    with closing(read_activity(database, "acme", "u1")) as batches:
        next(batches)
        assert checkpoint_blocked()
    assert not checkpoint_blocked()


def test_no_more_than_a_batch_at_a_time(database: Path) -> None:
    sizes = [len(batch) for batch in read_activity(database, "acme", "u1")]
    assert sizes == [BATCH_ROWS, BATCH_ROWS, BATCH_ROWS, 1]


def test_no_sort_is_needed(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {_SELECT}", ("acme", "u1")).fetchall()
    assert [step[3] for step in plan] == [
        "SEARCH user_activity USING INDEX user_activity_by_owner (tenant_id=? AND user_id=?)"
    ]
