"""A context manager entered and never left.

3 held by module: __main__ → OPENED → ._exit_callbacks → .gen → opened → {yields} → rows → list[3]
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import outlive


class Leaked:
    pass


@contextmanager
def opened() -> Iterator[None]:
    rows = [Leaked() for _ in range(3)]
    yield  # yields
    rows.clear()


OPENED = ExitStack()
OPENED.enter_context(opened())

outlive.snapshot(sys.argv[1])
