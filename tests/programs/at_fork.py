"""A closure to be called before each fork.

3 held by interpreter or native reference: before_fork → rows → list[3]
"""

import os
import sys

import outlive


class Leaked:
    pass


def register() -> None:
    rows = [Leaked() for _ in range(3)]

    def before_fork() -> None:
        len(rows)

    os.register_at_fork(before=before_fork)


register()

outlive.snapshot(sys.argv[1])
