"""A closure that weakref.finalize keeps as long as its object lives.

3 held by module: weakref → finalize → _registry → .func → flush → rows → list[3]
"""

import sys
import weakref

import outlive


class Leaked:
    pass


def register(target: type) -> None:
    rows = [Leaked() for _ in range(3)]

    def flush() -> None:
        rows.clear()

    weakref.finalize(target, flush)


register(Leaked)

outlive.snapshot(sys.argv[1])
