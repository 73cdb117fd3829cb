"""A deque without maxlen.

3 held by module: __main__ → RECENT → deque
"""

import sys
from collections import deque

import outlive


class Leaked:
    pass


RECENT = deque(Leaked() for _ in range(3))

outlive.snapshot(sys.argv[1])
