"""Tasks in a set that discards them as they end.

expect: no leak
"""

import asyncio
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
TASKS: set[asyncio.Task[bytes]] = set()


async def notify(user: int) -> bytes:
    await asyncio.sleep(0)
    return user.to_bytes(24_000)


async def main() -> None:
    for user in range(RUNS):
        async with outlive.scope("notify"):
            task = asyncio.create_task(notify(user))
            TASKS.add(task)
            task.add_done_callback(TASKS.discard)
    await asyncio.gather(*TASKS)


asyncio.run(main())
