"""An attribute of an object that is a list too.

3 held by module: __main__ → PAGE → .rows → tuple[3]
"""

import sys

import outlive


class Leaked:
    pass


class Page(list[int]):
    def __init__(self) -> None:
        super().__init__([1, 2, 3])
        self.rows = tuple(Leaked() for _ in range(3))


PAGE = Page()

outlive.snapshot(sys.argv[1])
