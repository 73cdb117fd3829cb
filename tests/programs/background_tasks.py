"""Tasks in a set from which nobody discards them; they wait for ever.

3 held by task: poller → poll → {awaits} → row
3 held by module: __main__ → BACKGROUND → poller → poll → {awaits} → row
"""

import asyncio
import sys

import outlive


class Leaked:
    pass


BACKGROUND: set[asyncio.Task[None]] = set()


async def poll(never: asyncio.Event) -> None:
    row = Leaked()
    while row:
        await never.wait()  # awaits


async def main() -> None:
    never = asyncio.Event()
    for _ in range(3):
        BACKGROUND.add(asyncio.create_task(poll(never), name="poller"))
    await asyncio.sleep(0)
    outlive.snapshot(sys.argv[1])
    for task in BACKGROUND:
        task.cancel()


asyncio.run(main())
