"""A frame that was kept, with all its locals.

3 held by module: __main__ → FRAMES → work → {looks} → rows → list[3]
"""

import sys
from types import FrameType

import outlive


class Leaked:
    pass


FRAMES: list[FrameType] = []


def work() -> int:
    rows = [Leaked() for _ in range(3)]
    FRAMES.append(sys._getframe())
    return len(rows)  # looks


work()

outlive.snapshot(sys.argv[1])
