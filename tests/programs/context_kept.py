"""A copy of a context, kept after its variable was reset.

3 held by module: __main__ → SAVED → Context → current → list[3]
"""

import sys
from contextvars import Context, ContextVar, copy_context

import outlive


class Leaked:
    pass


CURRENT: ContextVar[list[Leaked]] = ContextVar("current")


def save() -> Context:
    token = CURRENT.set([Leaked() for _ in range(3)])
    try:
        return copy_context()
    finally:
        CURRENT.reset(token)


SAVED = [save()]

outlive.snapshot(sys.argv[1])
