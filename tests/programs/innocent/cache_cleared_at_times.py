"""A dict that is emptied whenever it has 25 entries: a sawtooth.

expect: no leak
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
CACHE: dict[int, bytearray] = {}

for number in range(RUNS):
    with outlive.scope("render"):
        if len(CACHE) >= 25:
            CACHE.clear()
        CACHE[number] = bytearray(40_000)
