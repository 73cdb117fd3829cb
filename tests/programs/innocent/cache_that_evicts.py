"""An OrderedDict that drops what was used longest ago, at 16 entries.

expect: no leak
"""

import os
from collections import OrderedDict

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
CACHE: OrderedDict[int, list[float]] = OrderedDict()


def prices(day: int) -> list[float]:
    if day not in CACHE:
        CACHE[day] = [day / number for number in range(1, 800)]
        if len(CACHE) > 16:
            CACHE.popitem(last=False)
    return CACHE[day]


for day in range(RUNS):
    with outlive.scope("prices"):
        prices(day)
