"""Objects that refer to themselves; what matters is the list.

3 held by module: __main__ → KEPT → list[3]
"""

import sys

import outlive


class Leaked:
    def __init__(self) -> None:
        self.me = self
        self.everything = [self, [self]]


KEPT = [Leaked() for _ in range(3)]

outlive.snapshot(sys.argv[1])
