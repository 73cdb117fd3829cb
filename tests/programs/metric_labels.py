"""A metric with a label that has no bounds, as prometheus-client keeps them.

3 held by module: __main__ → REQUESTS → ._metrics → .rows → list[3]
"""

import sys
from collections.abc import Iterable

import outlive


class Leaked:
    pass


class Counter:
    def __init__(self, rows: Iterable[Leaked] = ()) -> None:
        self._metrics: dict[tuple[str, ...], Counter] = {}
        self.rows = [*rows]

    def labels(self, *values: str) -> None:
        self._metrics[values] = Counter(Leaked() for _ in range(3))


REQUESTS = Counter()
REQUESTS.labels("GET", "u42")

outlive.snapshot(sys.argv[1])
