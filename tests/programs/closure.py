"""A closure's variable.

3 held by module: __main__ → HANDLER → rows → list[3]
"""

import sys
from collections.abc import Callable

import outlive


class Leaked:
    pass


def make() -> Callable[[], int]:
    rows = [Leaked() for _ in range(3)]

    def handle() -> int:
        return len(rows)

    return handle


HANDLER = make()

outlive.snapshot(sys.argv[1])
