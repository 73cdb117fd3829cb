"""Patterns of searches; the re module keeps the last of them, up to its own limit.

expect: no leak
"""

import os
import re

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))

for number in range(RUNS):
    with outlive.scope("search"):
        re.search(rf"^order-{number % 40:03}-(\d+|[a-f]+)$", f"order-{number:03}-42")
