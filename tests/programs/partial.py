"""A callback with its arguments.

3 held by module: __main__ → CALLBACKS → partial → ['rows'] → list[3]
"""

import sys
from functools import partial

import outlive


class Leaked:
    pass


CALLBACKS = [partial(print, rows=[Leaked() for _ in range(3)])]

outlive.snapshot(sys.argv[1])
