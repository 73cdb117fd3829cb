"""An attribute of a function.

3 held by module: __main__ → handle → .calls → list[3]
"""

import sys

import outlive


class Leaked:
    pass


def handle() -> None:
    vars(handle).setdefault("calls", []).append(Leaked())


handle()
handle()
handle()

outlive.snapshot(sys.argv[1])
