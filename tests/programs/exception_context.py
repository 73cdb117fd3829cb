"""An exception kept because another came of it.

3 held by module: __main__ → ERRORS → RuntimeError → ValueError → traceback → work → {raises} → rows → list[3]
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
        raise RuntimeError from error


def serve() -> None:
    try:
        run()
    except RuntimeError as error:
        ERRORS.append(error.with_traceback(None))


serve()

outlive.snapshot(sys.argv[1])
