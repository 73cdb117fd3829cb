"""A logger for each request: the manager keeps them all.

3 held by module: logging → loggerDict → ['request.u42'] → .rows → list[3]
"""

import logging
import sys

import outlive


class Leaked:
    pass


vars(logging.getLogger("request.u42"))["rows"] = [Leaked() for _ in range(3)]

outlive.snapshot(sys.argv[1])
