"""A task that reads from an asynchronous generator, which is suspended in its midst.

3 held by task: reader → read → {reads} → stream → {awaits} → rows → list[3]
"""

import asyncio
import sys
from collections.abc import AsyncIterator

import outlive


class Leaked:
    pass


async def stream() -> AsyncIterator[int]:
    rows = [Leaked() for _ in range(3)]
    await asyncio.sleep(3600)  # awaits
    yield len(rows)


async def read() -> None:
    async for _ in stream():  # reads
        pass


async def main() -> None:
    asyncio.create_task(read(), name="reader")
    await asyncio.sleep(0)
    outlive.snapshot(sys.argv[1])


asyncio.run(main())
