"""A connection is put back when the query succeeds; when it raises, it stays in use.

expect: leak
scope: query
rule: L02
holder: module __main__ → IN_USE → Connection
per run: 17100
"""

import os
import sqlite3

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Connection(sqlite3.Connection):
    buffer: bytearray


IN_USE: set[Connection] = set()


def query(statement: str) -> None:
    connection = sqlite3.connect(":memory:", factory=Connection)
    connection.buffer = bytearray(16_000)  # made
    IN_USE.add(connection)
    connection.execute(statement)
    IN_USE.discard(connection)
    connection.close()


for _ in range(RUNS):
    with outlive.scope("query"):
        try:
            query("select no_such_column")
        except sqlite3.OperationalError:
            continue
