"""A subscriber that went away; its asyncio.Queue goes on to fill.

expect: leak
scope: publish
rule: L11
holder: module __main__ → SUBSCRIBERS → Queue._queue → deque
per run: 12800
"""

import asyncio
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
SUBSCRIBERS: list[asyncio.Queue[dict[str, float]]] = [asyncio.Queue()]


async def publish(tick: int) -> None:
    for symbol in range(60):
        message = {"symbol": symbol, "price": tick / (symbol + 1)}  # made
        for subscriber in SUBSCRIBERS:
            await subscriber.put(message)


async def main() -> None:
    for tick in range(RUNS):
        async with outlive.scope("publish"):
            await publish(tick)


asyncio.run(main())
