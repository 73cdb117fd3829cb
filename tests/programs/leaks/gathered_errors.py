"""What gather returns is kept, errors and all.

expect: leak
scope: sync
rule: L07
holder: module __main__ → RESULTS → TimeoutError → traceback → fetch → answer
per run: 61200
"""

import asyncio
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
RESULTS: list[BaseException | None] = []


async def fetch(shop: str) -> None:
    answer = bytearray(30_000)  # made
    await asyncio.sleep(0)
    raise TimeoutError(f"{shop}: {len(answer)} bytes, then nothing")


async def main() -> None:
    for _ in range(RUNS):
        async with outlive.scope("sync"):
            RESULTS.extend(await asyncio.gather(fetch("berlin"), fetch("oslo"), return_exceptions=True))


asyncio.run(main())
