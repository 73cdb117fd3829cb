"""A slot, of a class that inherits another's.

3 held by module: __main__ → EXPORT → .rows → list[3]
"""

import sys

import outlive


class Leaked:
    pass


class Named:
    __slots__ = ("name",)

    def __init__(self) -> None:
        self.name = "all"


class Export(Named):
    __slots__ = ("rows", "unset")

    def __init__(self) -> None:
        super().__init__()
        self.rows = [Leaked() for _ in range(3)]


EXPORT = Export()

outlive.snapshot(sys.argv[1])
