"""A descriptor that remembers by instance.

3 held by module: __main__ → Export → rows → .values → list[3]
"""

import sys

import outlive


class Leaked:
    pass


class Remembered:
    def __init__(self) -> None:
        self.values: dict[object, list[Leaked]] = {}

    def __get__(self, instance: object, owner: type) -> list[Leaked]:
        return self.values.setdefault(instance, [Leaked() for _ in range(3)])


class Export:
    rows = Remembered()


assert Export().rows

outlive.snapshot(sys.argv[1])
