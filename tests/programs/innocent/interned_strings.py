"""Names of columns are interned; a table has only so many.

expect: no leak
"""

import os
import sys

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
COLUMNS: set[str] = set()


def parse(table: int) -> int:
    COLUMNS.update(sys.intern(f"column_{table % 10}_{number}") for number in range(100))
    return len(COLUMNS)


for table in range(RUNS):
    with outlive.scope("parse"):
        parse(table)
