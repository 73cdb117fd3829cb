"""An exception that was kept: its traceback has the frames, and they their locals.

3 held by module: __main__ → ERRORS → ValueError → traceback → work → {raises} → rows → list[3]
"""

import sys

import outlive


class Leaked:
    pass


ERRORS: list[Exception] = []


def work() -> None:
    rows = [Leaked() for _ in range(3)]
    raise ValueError(len(rows))  # raises


def run() -> None:
    try:
        work()
    except ValueError as error:
        ERRORS.append(error)


run()

outlive.snapshot(sys.argv[1])
