"""The engine of the control database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import Connection

from sqlalchemy import URL, Engine, create_engine, event

from app.db.tables import metadata


@contextmanager
def open_engine(database: Path) -> Iterator[Engine]:
    """Open the SQLite file for the length of the block, creating it and its tables where missing."""
    database.parent.mkdir(parents=True, exist_ok=True)
    database.touch(mode=0o600)  # key hashes and all activity are in it; SQLite's side files take its mode
    engine = create_engine(URL.create("sqlite", database=str(database)))
    event.listen(engine, "connect", _prepare)
    try:
        metadata.create_all(engine)
        yield engine
    finally:
        engine.dispose()


def now() -> str:
    """Return the time as the tables keep it."""
    return datetime.now(UTC).isoformat()


def _prepare(connection: Connection, _record: object) -> None:
    # WAL: an export reads one snapshot for minutes, and nobody who writes may wait for it.
    # FULL: a job that was answered 202 survives a power cut.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA busy_timeout = 10000")
