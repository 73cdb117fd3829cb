"""A task of asyncio's Python half that never ends.

3 held by thread: MainThread → Task → ._coro → poll → {awaits} → rows → list[3]
3 held by module: asyncio → Task → ._coro → poll → {awaits} → rows → list[3]
3 held by task: poller → poll → {awaits} → rows → list[3]
"""

import asyncio
import sys

import outlive


class Leaked:
    pass


class Task(asyncio.tasks._PyTask):  # type: ignore[misc, name-defined]
    pass


async def poll() -> None:
    rows = [Leaked() for _ in range(3)]
    while rows:
        await asyncio.sleep(3600)  # awaits


async def main() -> None:
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda loop, coroutine, **how: Task(coroutine, loop=loop, **how))
    loop.create_task(poll(), name="poller")
    await asyncio.sleep(0)
    outlive.snapshot(sys.argv[1])


asyncio.run(main())
