"""Keys that are the objects themselves.

3 held by module: __main__ → SEEN → key
"""

import sys

import outlive


class Leaked:
    pass


SEEN = {Leaked(): True for _ in range(3)}

outlive.snapshot(sys.argv[1])
