"""Scratch space by thread, made anew by each job in place of the last.

expect: no leak
"""

import os
import threading

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
LOCAL = threading.local()

for number in range(RUNS):
    with outlive.scope("job"):
        LOCAL.scratch = bytearray(30_000 + number)
