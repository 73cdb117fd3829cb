"""The last 200 answers; it is not full before the two hundredth run.

expect: no leak
"""

import os
from collections import deque

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
ANSWERS: deque[bytes] = deque(maxlen=200)

for number in range(RUNS):
    with outlive.scope("ask"):
        ANSWERS.append(number.to_bytes(15_000))
