"""Each export fetches the whole table, joins it and writes it; nothing of it stays.

expect: peak bloat
scope: export
"""

import os
import sqlite3

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
CONNECTION = sqlite3.connect(":memory:")
CONNECTION.execute("create table part (body blob)")
CONNECTION.executemany("insert into part values (zeroblob(?))", [(100_000,)] * 100)


def export() -> int:
    parts = CONNECTION.execute("select body from part").fetchall()
    return len(b"".join(body for (body,) in parts))


for _ in range(min(RUNS, 150)):
    with outlive.scope("export"):
        export()
