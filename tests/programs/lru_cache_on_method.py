"""lru_cache on a method: self is part of every key.

3 held by module: __main__ → Leaked → lru_cache of __main__.Leaked.rows → cached key → tuple
"""

import sys
from functools import lru_cache

import outlive


class Leaked:
    @lru_cache
    def rows(self, _user: str) -> int:
        return 0


assert [Leaked().rows("u42") for _ in range(3)]

outlive.snapshot(sys.argv[1])
