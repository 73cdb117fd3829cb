"""An asynchronous generator that nobody finished.

3 held by module: __main__ → STREAMS → stream → {yields} → rows → list[3]
"""

import asyncio
import sys
from collections.abc import AsyncIterator

import outlive


class Leaked:
    pass


async def stream() -> AsyncIterator[int]:
    rows = [Leaked() for _ in range(3)]
    yield len(rows)  # yields
    rows.clear()


STREAMS = [stream()]


async def main() -> None:
    assert await anext(STREAMS[0])
    outlive.snapshot(sys.argv[1])


asyncio.run(main())
