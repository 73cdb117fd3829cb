"""Tasks kept so that they are not collected while they run, and never discarded.

expect: leak
scope: notify
rule: L08
holder: module __main__ → TASKS → task → result
per run: 24600
"""

import asyncio
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
TASKS: list[asyncio.Task[bytes]] = []


async def notify(user: int) -> bytes:
    await asyncio.sleep(0)
    return user.to_bytes(24_000)  # made


async def main() -> None:
    for user in range(RUNS):
        async with outlive.scope("notify"):
            task = asyncio.create_task(notify(user))
            TASKS.append(task)
            await task


asyncio.run(main())
