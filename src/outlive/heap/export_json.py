"""A snapshot as one JSON document: what is known of it, and each table of SQL as a list of rows."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from outlive.heap import database
from outlive.heap.tables import TABLES, create

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

    from outlive.heap.tables import Source

_ROWS = 20_000


def write(source: Source, stream: IO[bytes], progress: Callable[[int, int], None]) -> None:
    """Write the document; `progress` is told how much of how much is done, in tables."""
    head = json.dumps({"schema": 1, "info": asdict(source.columns.info)})
    stream.write(head[:-1].encode())
    with database.connect(files=False) as connection:
        create(connection, source)
        for number, table in enumerate(TABLES):
            progress(number, len(TABLES))
            stream.write(f',\n"{table}":['.encode())
            rows = connection.execute(f"SELECT to_json(t) FROM {table} AS t")  # noqa: S608 - our own name
            between = b"\n"
            while part := rows.fetchmany(_ROWS):
                stream.write(between + ",\n".join(text for (text,) in part).encode())
                between = b",\n"
            stream.write(b"]")
    stream.write(b"}\n")
