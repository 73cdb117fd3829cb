"""A context variable that was set and never reset.

3 held by thread: MainThread → current → list[3]
"""

import sys
from contextvars import ContextVar

import outlive


class Leaked:
    pass


CURRENT: ContextVar[list[Leaked]] = ContextVar("current")
CURRENT.set([Leaked() for _ in range(3)])

outlive.snapshot(sys.argv[1])
