"""Results of a function that cache remembers, without a limit.

3 held by module: __main__ → lru_cache of __main__.load → cached value → list[3]
"""

import sys
from functools import cache

import outlive


class Leaked:
    pass


@cache
def load(_user: str) -> list[Leaked]:
    return [Leaked() for _ in range(3)]


load("u42")

outlive.snapshot(sys.argv[1])
