"""A task that failed and was kept: its exception has the frames.

3 held by module: __main__ → FAILED → job → exception → work → {raises} → rows → list[3]
"""

import asyncio
import sys

import outlive


class Leaked:
    pass


FAILED: list[asyncio.Task[None]] = []


async def work() -> None:
    rows = [Leaked() for _ in range(3)]
    raise ValueError(len(rows))  # raises


async def main() -> None:
    FAILED.append(asyncio.create_task(work(), name="job"))
    await asyncio.wait(FAILED)
    outlive.snapshot(sys.argv[1])
    FAILED.pop().exception()


asyncio.run(main())
