"""A list that all instances share.

3 held by module: __main__ → Export → rows → list[3]
"""

import sys
from typing import ClassVar

import outlive


class Leaked:
    pass


class Export:
    rows: ClassVar[list[Leaked]] = []

    def add(self) -> None:
        self.rows.append(Leaked())


Export().add()
Export().add()
Export().add()

outlive.snapshot(sys.argv[1])
