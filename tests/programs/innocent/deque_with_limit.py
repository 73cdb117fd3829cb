"""The last 1000 log lines, in a deque that drops the oldest.

expect: no leak
"""

import os
from collections import deque

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
LINES: deque[str] = deque(maxlen=1000)

for number in range(RUNS):
    with outlive.scope("request"):
        for step in range(40):
            LINES.append(f"request {number}, step {step}: " + "." * 300)
