"""The last exception of an interactive session.

3 held by module or interpreter: sys → last_ → ValueError → traceback → work → {raises} → rows → list[3]
"""

import sys

import outlive


class Leaked:
    pass


def work() -> None:
    rows = [Leaked() for _ in range(3)]
    raise ValueError(len(rows))  # raises


def interact() -> None:
    try:
        work()
    except ValueError as error:
        vars(sys)["last_value"] = error
        if sys.version_info >= (3, 12):
            sys.last_exc = error


interact()

outlive.snapshot(sys.argv[1])
