"""A cached_property that was computed.

3 held by module: __main__ → EXPORT → .rows → list[3]
"""

import sys
from functools import cached_property

import outlive


class Leaked:
    pass


class Export:
    @cached_property
    def rows(self) -> list[Leaked]:
        return [Leaked() for _ in range(3)]


EXPORT = Export()
assert EXPORT.rows

outlive.snapshot(sys.argv[1])
