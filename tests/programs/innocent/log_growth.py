"""A table that doubles: entries come at the runs 1, 2, 4, 8, ...

expect: no leak
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
LEVELS: dict[int, bytearray] = {}

for number in range(RUNS):
    with outlive.scope("insert"):
        LEVELS.setdefault(number.bit_length(), bytearray(60_000))
