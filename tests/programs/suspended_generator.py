"""A generator that nobody finished.

3 held by module: __main__ → STREAMS → stream → {yields} → rows → list[3]
"""

import sys
from collections.abc import Iterator

import outlive


class Leaked:
    pass


def stream() -> Iterator[int]:
    rows = [Leaked() for _ in range(3)]
    yield len(rows)  # yields
    rows.clear()


STREAMS = [stream()]
assert next(STREAMS[0])

outlive.snapshot(sys.argv[1])
