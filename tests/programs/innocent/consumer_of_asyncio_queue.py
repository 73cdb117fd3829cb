"""A subscriber that reads its asyncio.Queue.

expect: no leak
"""

import asyncio
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


async def read(messages: asyncio.Queue[bytes]) -> None:
    while await messages.get():
        messages.task_done()


async def main() -> None:
    messages: asyncio.Queue[bytes] = asyncio.Queue(maxsize=5)
    reader = asyncio.create_task(read(messages))
    for number in range(1, RUNS + 1):
        async with outlive.scope("publish"):
            for _ in range(4):
                await messages.put(number.to_bytes(12_000))
    await messages.put(b"")
    await reader


asyncio.run(main())
