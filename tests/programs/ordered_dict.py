"""An OrderedDict.

3 held by module: __main__ → SESSIONS → ['u42'] → list[3]
"""

import sys
from collections import OrderedDict

import outlive


class Leaked:
    pass


SESSIONS = OrderedDict(u42=[Leaked() for _ in range(3)])

outlive.snapshot(sys.argv[1])
