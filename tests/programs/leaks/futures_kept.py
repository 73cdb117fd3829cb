"""Futures of a thread pool, kept after their results were read.

expect: leak
scope: thumbnail
rule: L08
holder: module __main__ → FUTURES → Future._result
per run: 51700
"""

import os
from concurrent.futures import Future, ThreadPoolExecutor

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
FUTURES: list[Future[bytearray]] = []


def thumbnail(width: int) -> bytearray:
    return bytearray(width * 50)  # made


with ThreadPoolExecutor(max_workers=2) as pool:
    for _ in range(RUNS):
        with outlive.scope("thumbnail"):
            FUTURES.append(pool.submit(thumbnail, 1000))
            FUTURES[-1].result()
