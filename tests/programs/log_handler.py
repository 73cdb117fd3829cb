"""A handler added and never removed.

3 held by module: logging → loggerDict → ['app.export'] → handlers → .rows → list[3]
"""

import logging
import sys

import outlive


class Leaked:
    pass


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.rows = [Leaked() for _ in range(3)]


logging.getLogger("app.export").addHandler(Kept())

outlive.snapshot(sys.argv[1])
