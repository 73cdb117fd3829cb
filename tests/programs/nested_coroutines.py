"""A local of a coroutine that a task's coroutine awaits.

3 held by task: poller → outer → {outer} → inner → {inner} → rows → list[3]
"""

import asyncio
import sys

import outlive


class Leaked:
    pass


async def inner() -> int:
    rows = [Leaked() for _ in range(3)]
    await asyncio.sleep(3600)  # inner
    return len(rows)


async def outer() -> int:
    return await inner()  # outer


async def main() -> None:
    asyncio.create_task(outer(), name="poller")
    await asyncio.sleep(0)
    outlive.snapshot(sys.argv[1])


asyncio.run(main())
