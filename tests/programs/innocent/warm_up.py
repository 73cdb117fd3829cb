"""The first fifteen runs build tables that all later ones use.

expect: no leak
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
TABLES: list[list[int]] = []


def work() -> int:
    if len(TABLES) < 15:
        TABLES.append(list(range(10_000)))
    return sum(map(len, TABLES))


for _ in range(RUNS):
    with outlive.scope("work"):
        work()
