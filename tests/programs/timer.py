"""A callback that an event loop is to call in an hour.

3 held by module: asyncio → ._scheduled → TimerHandle → on_timeout → rows → list[3]
3 held by thread: MainThread → ._scheduled → TimerHandle → on_timeout → rows → list[3]
"""

import asyncio
import sys

import outlive


class Leaked:
    pass


def schedule() -> None:
    rows = [Leaked() for _ in range(3)]

    def on_timeout() -> None:
        rows.clear()

    asyncio.get_running_loop().call_later(3600, on_timeout)


async def main() -> None:
    schedule()
    outlive.snapshot(sys.argv[1])


asyncio.run(main())
