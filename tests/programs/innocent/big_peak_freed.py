"""Each run sorts a large table of its own, and lets go of it.

expect: no leak
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


def sort(seed: int) -> int:
    table = [(number * seed) % 10_007 for number in range(30_000)]
    return sorted(table)[len(table) // 2]


for seed in range(1, RUNS + 1):
    with outlive.scope("sort"):
        sort(seed)
