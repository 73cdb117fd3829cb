"""What the callback of a weak reference keeps.

3 held by module: __main__ → WATCHED → forget → rows → list[3]
"""

import sys
from weakref import ref

import outlive


class Leaked:
    pass


def watch(target: type) -> "ref[type]":
    rows = [Leaked() for _ in range(3)]

    def forget(_: object) -> None:
        rows.clear()

    return ref(target, forget)


WATCHED = [watch(Leaked)]

outlive.snapshot(sys.argv[1])
