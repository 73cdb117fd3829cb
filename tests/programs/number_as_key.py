"""A dict by number.

3 held by module: __main__ → BY_USER → [42] → list[3]
"""

import sys

import outlive


class Leaked:
    pass


BY_USER = {42: [Leaked() for _ in range(3)]}

outlive.snapshot(sys.argv[1])
