"""A closure registered with atexit.

3 held by module or interpreter: atexit → flush → rows → list[3]
"""

import atexit
import sys

import outlive


class Leaked:
    pass


def register() -> None:
    rows = [Leaked() for _ in range(3)]

    def flush() -> None:
        rows.clear()

    atexit.register(flush)


register()

outlive.snapshot(sys.argv[1])
