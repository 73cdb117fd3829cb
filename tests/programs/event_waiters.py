"""Tasks that wait for an event that nobody sets; only it knows them.

3 held by task: waiter → work → {awaits} → row
3 held by module: __main__ → EVENT → ._waiters → waiter → work → {awaits} → row
"""

import asyncio
import sys

import outlive


class Leaked:
    pass


EVENT = asyncio.Event()


async def work() -> None:
    row = Leaked()
    while row:
        await EVENT.wait()  # awaits


async def main() -> None:
    tasks = [asyncio.create_task(work(), name="waiter") for _ in range(3)]
    await asyncio.sleep(0)
    tasks.clear()
    outlive.snapshot(sys.argv[1])


asyncio.run(main())
