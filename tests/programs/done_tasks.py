"""Tasks that ended and were kept, with their results.

3 held by module: __main__ → DONE → job → result
"""

import asyncio
import sys

import outlive


class Leaked:
    pass


DONE: list[asyncio.Task[Leaked]] = []


async def work() -> Leaked:
    return Leaked()


async def main() -> None:
    DONE.extend(asyncio.create_task(work(), name="job") for _ in range(3))
    await asyncio.wait(DONE)
    outlive.snapshot(sys.argv[1])


asyncio.run(main())
