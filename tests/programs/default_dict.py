"""A defaultdict that grows by being asked.

3 held by module: __main__ → BY_USER → ['u42'] → list[3]
"""

import sys
from collections import defaultdict

import outlive


class Leaked:
    pass


BY_USER: defaultdict[str, list[Leaked]] = defaultdict(list)
BY_USER["u42"].extend(Leaked() for _ in range(3))

outlive.snapshot(sys.argv[1])
