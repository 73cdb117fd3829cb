"""Overlapping runs, each with a group of tasks.

expect: no leak
"""

import asyncio
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


async def fetch(size: int) -> int:
    body = bytearray(size)
    await asyncio.sleep(0)
    return len(body)


async def request(number: int) -> None:
    async with outlive.scope("GET /all"), asyncio.TaskGroup() as group:
        for place in range(5):
            group.create_task(fetch(10_000 + number + place))


async def main() -> None:
    for number in range(0, RUNS, 10):
        await asyncio.gather(*[request(number + place) for place in range(10)])


asyncio.run(main())
