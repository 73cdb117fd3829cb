"""Futures of an executor that were kept, with their results.

3 held by module: __main__ → FUTURES → Future → result → list[3]
"""

import sys
from concurrent.futures import Future, ThreadPoolExecutor

import outlive


class Leaked:
    pass


def work() -> list[Leaked]:
    return [Leaked() for _ in range(3)]


FUTURES: list[Future[list[Leaked]]] = []
with ThreadPoolExecutor(1) as pool:
    FUTURES.append(pool.submit(work))

outlive.snapshot(sys.argv[1])
