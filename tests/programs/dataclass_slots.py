"""A field of a dataclass with slots.

3 held by module: __main__ → EXPORT → .rows → list[3]
"""

import sys
from dataclasses import dataclass

import outlive


class Leaked:
    pass


@dataclass(slots=True)
class Export:
    name: str
    rows: list[Leaked]


EXPORT = Export("all", [Leaked() for _ in range(3)])

outlive.snapshot(sys.argv[1])
