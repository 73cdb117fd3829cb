"""A cache in a module that was imported.

3 held by module: app.cache → CACHE → ['u42'] → list[3]
"""

import sys
from types import ModuleType

import outlive


class Leaked:
    pass


sys.modules["app.cache"] = ModuleType("app.cache")
vars(sys.modules["app.cache"])["CACHE"] = {"u42": [Leaked() for _ in range(3)]}

outlive.snapshot(sys.argv[1])
