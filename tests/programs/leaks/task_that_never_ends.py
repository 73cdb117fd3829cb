"""Each request starts a task that polls for ever.

expect: leak
scope: POST /watch
rule: L09
holder: poll → rows
per run: 17400
"""

import asyncio
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
LOOP = asyncio.new_event_loop()


async def poll(feed: int) -> None:
    rows = [feed * 1000 + number for number in range(400)]  # made
    while rows:
        await asyncio.sleep(3600)


async def watch(feed: int) -> None:
    asyncio.create_task(poll(feed))
    await asyncio.sleep(0)


async def main() -> None:
    for feed in range(1, RUNS + 1):
        async with outlive.scope("POST /watch"):
            await watch(feed)


LOOP.run_until_complete(main())
