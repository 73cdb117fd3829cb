"""A task that never ends.

3 held by task: poller → poll → {awaits} → rows → list[3]
"""

import asyncio
import sys

import outlive


class Leaked:
    pass


async def poll() -> None:
    rows = [Leaked() for _ in range(3)]
    while rows:
        await asyncio.sleep(3600)  # awaits


async def main() -> None:
    asyncio.create_task(poll(), name="poller")
    await asyncio.sleep(0)
    outlive.snapshot(sys.argv[1])


asyncio.run(main())
