"""An attribute of an ordinary object, which has no dict.

3 held by module: __main__ → EXPORT → .rows → list[3]
"""

import sys

import outlive


class Leaked:
    pass


class Export:
    def __init__(self) -> None:
        self.name = "all"
        self.rows = [Leaked() for _ in range(3)]


EXPORT = Export()

outlive.snapshot(sys.argv[1])
