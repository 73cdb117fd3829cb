"""An attribute of an object whose dict somebody asked for.

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
vars(EXPORT)["touched"] = True

outlive.snapshot(sys.argv[1])
