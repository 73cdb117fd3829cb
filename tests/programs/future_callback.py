"""A callback of a future that nobody sets.

3 held by module: __main__ → ANSWER → callback → on_answer → rows → list[3]
"""

import asyncio
import sys

import outlive


class Leaked:
    pass


ANSWER: list[asyncio.Future[None]] = []


def listen() -> None:
    rows = [Leaked() for _ in range(3)]

    def on_answer(_: object) -> None:
        rows.clear()

    ANSWER[0].add_done_callback(on_answer)


async def main() -> None:
    ANSWER.append(asyncio.get_running_loop().create_future())
    listen()
    outlive.snapshot(sys.argv[1])


asyncio.run(main())
