"""Results of a function that lru_cache remembers, within its limit.

3 held by module: __main__ → lru_cache of __main__.load → cached value → list[3]
"""

import sys
from functools import lru_cache

import outlive


class Leaked:
    pass


@lru_cache
def load(_user: str) -> list[Leaked]:
    return [Leaked() for _ in range(3)]


load("u42")

outlive.snapshot(sys.argv[1])
