"""The end of a chain 100,000 links long.

3 held by module: __main__ → HEAD → .next → .rows → list[3]
"""

import sys

import outlive


class Leaked:
    pass


class Link:
    def __init__(self, following: "Link | None") -> None:
        self.next = following
        self.rows: list[Leaked] = []


HEAD = Link(None)
HEAD.rows.extend(Leaked() for _ in range(3))
for _ in range(100_000):
    HEAD = Link(HEAD)

outlive.snapshot(sys.argv[1])
