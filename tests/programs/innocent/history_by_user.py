"""The last five pages of each of ten users.

expect: no leak
"""

import os
from collections import defaultdict, deque
from functools import partial

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
HISTORY: defaultdict[int, deque[str]] = defaultdict(partial(deque, maxlen=3))

for number in range(RUNS):
    with outlive.scope("GET /page"):
        HISTORY[number % 10].append(f"page {number} " * 2000)
