"""Blocking work in asyncio.to_thread, one answer kept at a time.

expect: no leak
"""

import asyncio
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
LATEST: dict[str, bytes] = {}


def compress(number: int) -> bytes:
    return number.to_bytes(60_000)


async def main() -> None:
    for number in range(RUNS):
        async with outlive.scope("compress"):
            LATEST["result"] = await asyncio.to_thread(compress, number)


asyncio.run(main())
