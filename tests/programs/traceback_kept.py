"""A traceback that was kept without its exception.

3 held by module: __main__ → LAST → traceback → work → {raises} → rows → list[3]
"""

import sys
from types import TracebackType

import outlive


class Leaked:
    pass


LAST: list[TracebackType | None] = []


def work() -> None:
    rows = [Leaked() for _ in range(3)]
    raise ValueError(len(rows))  # raises


def run() -> None:
    try:
        work()
    except ValueError as error:
        LAST.append(error.__traceback__)


run()

outlive.snapshot(sys.argv[1])
