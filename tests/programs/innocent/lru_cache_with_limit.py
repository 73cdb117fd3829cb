"""A cache of 20 pages, which many more are asked of.

expect: no leak
"""

import os
from functools import lru_cache

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


@lru_cache(maxsize=20)
def page(number: int) -> bytes:
    return number.to_bytes(20_000)


for number in range(RUNS):
    with outlive.scope("GET /page"):
        page(number)
