"""Containers in containers.

3 held by module: __main__ → STORE → ['tenants'] → ['rows'] → tuple[3]
"""

import sys

import outlive


class Leaked:
    pass


STORE = {"tenants": [{"rows": tuple(Leaked() for _ in range(3))}]}

outlive.snapshot(sys.argv[1])
