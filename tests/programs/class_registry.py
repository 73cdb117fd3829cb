"""A registry that a base class keeps.

3 held by module: __main__ → Plugin → registry → ['csv'] → list[3]
"""

import sys
from typing import ClassVar

import outlive


class Leaked:
    pass


class Plugin:
    registry: ClassVar[dict[str, list[Leaked]]] = {}

    def __init_subclass__(cls, name: str) -> None:
        cls.registry[name] = [Leaked() for _ in range(3)]


class Csv(Plugin, name="csv"):
    pass


outlive.snapshot(sys.argv[1])
