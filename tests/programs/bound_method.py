"""Methods registered with a signal: each keeps its object.

3 held by module: __main__ → RECEIVERS → on_save
"""

import sys

import outlive


class Leaked:
    def on_save(self) -> None:
        pass


RECEIVERS = [Leaked().on_save for _ in range(3)]

outlive.snapshot(sys.argv[1])
