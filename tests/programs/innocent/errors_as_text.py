"""The last twenty errors, kept as text.

expect: no leak
"""

import os
import traceback
from collections import deque

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
ERRORS: deque[str] = deque(maxlen=20)


def load(file: int) -> None:
    rows = list(range(2000))
    raise ValueError(f"file {file}: line {len(rows)} is cut short")


for file in range(RUNS):
    with outlive.scope("import"):
        try:
            load(file)
        except ValueError:
            ERRORS.append(traceback.format_exc())
