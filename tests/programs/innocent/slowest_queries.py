"""The thirty slowest queries, in a heap that drops the fastest.

expect: no leak
"""

import heapq
import os
import random

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
DRAW = random.Random(11)  # noqa: S311
SLOWEST: list[tuple[float, str]] = []


def query(number: int) -> None:
    entry = (DRAW.random(), f"select {number}" * 1000)
    if len(SLOWEST) < 30:
        heapq.heappush(SLOWEST, entry)
    else:
        heapq.heappushpop(SLOWEST, entry)


for number in range(RUNS):
    with outlive.scope("query"):
        query(number)
