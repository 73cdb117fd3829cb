"""Streams left at their first chunk, closed by aclosing.

expect: no leak
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


async def stream() -> AsyncGenerator[int]:
    rows = list(range(5000))
    for row in rows:
        yield row


async def main() -> None:
    for _ in range(RUNS):
        async with outlive.scope("GET /stream"), aclosing(stream()) as rows:
            await anext(rows)


asyncio.run(main())
