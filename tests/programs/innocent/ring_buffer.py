"""The last 32 frames, in a list that is written around.

expect: no leak
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
FRAMES: list[bytearray | None] = [None] * 32

for number in range(RUNS):
    with outlive.scope("frame"):
        FRAMES[number % len(FRAMES)] = bytearray(30_000)
