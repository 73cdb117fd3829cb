"""Parents and children that refer to each other, with the collector off.

3 held by garbage: Child → .parent
"""

import gc
import sys

import outlive


class Leaked:
    def __init__(self) -> None:
        self.child = Child(self)


class Child:
    def __init__(self, parent: Leaked) -> None:
        self.parent = parent


gc.collect()
gc.disable()
for _ in range(3):
    Leaked()

outlive.snapshot(sys.argv[1])
