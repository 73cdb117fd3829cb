"""A list that a module keeps.

3 held by module: __main__ → KEPT → list[3]
"""

import sys

import outlive


class Leaked:
    pass


KEPT = [Leaked() for _ in range(3)]

outlive.snapshot(sys.argv[1])
