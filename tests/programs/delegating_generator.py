"""A local of a generator that another one delegates to.

3 held by module: __main__ → STREAMS → outer → {delegates} → inner → {yields} → rows → list[3]
"""

import sys
from collections.abc import Iterator

import outlive


class Leaked:
    pass


def inner() -> Iterator[int]:
    rows = [Leaked() for _ in range(3)]
    yield len(rows)  # yields
    rows.clear()


def outer() -> Iterator[int]:
    yield from inner()  # delegates


STREAMS = [outer()]
assert next(STREAMS[0])

outlive.snapshot(sys.argv[1])
