"""One user's activity, read as bytes in batches."""

import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

COLUMNS = ("timestamp", "action", "details")

Row = tuple[bytes, bytes, bytes]

# Memory is a batch, whatever the number of rows: 64 rows of 10 KB are 640 KB.
BATCH_ROWS = 64

_SELECT = """
    SELECT timestamp, action, details FROM user_activity
    WHERE tenant_id = ? AND user_id = ? ORDER BY id
"""


def read_activity(database: Path, tenant_id: str, user_id: str) -> Generator[list[Row], None, None]:
    """Yield the user's rows in order of their id, as UTF-8 bytes, from one snapshot of the database.

    Blocks: run it in a worker thread. Close it (`contextlib.closing`) to end the snapshot early.
    """
    uri = f"{database.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        connection.text_factory = bytes
        connection.execute("BEGIN")
        cursor = connection.execute(_SELECT, (tenant_id, user_id))
        while batch := cursor.fetchmany(BATCH_ROWS):
            yield batch
