"""A thread pool whose results are used and let go.

expect: no leak
"""

import os
from concurrent.futures import ThreadPoolExecutor

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


def checksum(part: int) -> int:
    return sum(bytearray(40_000)) + part


with ThreadPoolExecutor(max_workers=4) as pool:
    for number in range(RUNS):
        with outlive.scope("upload"):
            sum(pool.map(checksum, range(number, number + 8)))
