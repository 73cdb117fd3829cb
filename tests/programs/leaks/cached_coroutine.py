"""lru_cache on `async def`: it keeps coroutines, and the queries they were called with.

expect: leak
scope: search
rule: L05
holder: module __main__ → lru_cache → search
per run: 25300
"""

import asyncio
import os
from functools import lru_cache

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


@lru_cache(maxsize=None)  # noqa: UP033
async def search(query: str) -> int:
    await asyncio.sleep(0)
    return query.count("or")


async def main() -> None:
    for number in range(10_000, 10_000 + RUNS):
        async with outlive.scope("search"):
            await search("id = 00042 or " * 1786 + str(number))  # made


asyncio.run(main())
