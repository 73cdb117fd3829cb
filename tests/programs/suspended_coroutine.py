"""A coroutine that nobody finished.

3 held by module: __main__ → PENDING → poll → {awaits} → rows → list[3]
"""

import sys
import types
from collections.abc import Generator

import outlive


class Leaked:
    pass


@types.coroutine
def pause() -> Generator[None, None, None]:
    yield


async def poll() -> int:
    rows = [Leaked() for _ in range(3)]
    await pause()  # awaits
    return len(rows)


PENDING = [poll()]
PENDING[0].send(None)

outlive.snapshot(sys.argv[1])
