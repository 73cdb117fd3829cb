"""An attribute of a member of an Enum.

3 held by module: __main__ → Kind → EXPORT → .rows → list[3]
"""

import sys
from enum import Enum

import outlive


class Leaked:
    pass


class Kind(Enum):
    EXPORT = "EXPORT"

    def __init__(self, _: str) -> None:
        self.rows: list[Leaked] = []


Kind.EXPORT.rows.extend(Leaked() for _ in range(3))

outlive.snapshot(sys.argv[1])
