"""Members of a set.

3 held by module: __main__ → SEEN → set
"""

import sys

import outlive


class Leaked:
    pass


SEEN = {Leaked() for _ in range(3)}

outlive.snapshot(sys.argv[1])
