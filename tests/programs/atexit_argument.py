"""An argument registered with atexit.

3 held by module or interpreter: atexit → list[3]
"""

import atexit
import sys

import outlive


class Leaked:
    pass


atexit.register(len, [Leaked() for _ in range(3)])

outlive.snapshot(sys.argv[1])
