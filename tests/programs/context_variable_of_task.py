"""A context variable that a task set.

3 held by task: poller → current → list[3]
"""

import asyncio
import sys
from contextvars import ContextVar

import outlive


class Leaked:
    pass


CURRENT: ContextVar[list[Leaked]] = ContextVar("current")


async def poll() -> None:
    CURRENT.set([Leaked() for _ in range(3)])
    await asyncio.sleep(3600)


async def main() -> None:
    asyncio.create_task(poll(), name="poller")
    await asyncio.sleep(0)
    outlive.snapshot(sys.argv[1])


asyncio.run(main())
