"""Streams of a service, left at their first chunk and never closed.

expect: leak
scope: GET /stream
rule: L10
holder: module __main__ → STREAMS → stream → rows
per run: 21500
"""

import asyncio
import os
from collections.abc import AsyncIterator

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
LOOP = asyncio.new_event_loop()
STREAMS: dict[int, AsyncIterator[float]] = {}


async def stream(seed: int) -> AsyncIterator[float]:
    rows = [seed / number for number in range(1, 650)]  # made
    for row in rows:
        yield row


async def main() -> None:
    for number in range(RUNS):
        async with outlive.scope("GET /stream"):
            STREAMS[number] = stream(number)
            await anext(STREAMS[number])


LOOP.run_until_complete(main())
