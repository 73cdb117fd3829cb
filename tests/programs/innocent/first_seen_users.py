"""Users as they are met for the first time; most of them come again, so there are ever fewer new ones.

expect: no leak
"""

import os
import random

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
DRAW = random.Random(7)  # noqa: S311
PREFERENCES: dict[int, bytearray] = {}

for _ in range(RUNS):
    with outlive.scope("GET /start"):
        user = min(int(DRAW.expovariate(0.5)), 12)
        PREFERENCES.setdefault(user, bytearray(50_000))
