"""A cache that forgets nothing.

3 held by module: __main__ → CACHE → ['u42'] → list[3]
"""

import sys

import outlive


class Leaked:
    pass


CACHE = {"u42": [Leaked() for _ in range(3)]}

outlive.snapshot(sys.argv[1])
