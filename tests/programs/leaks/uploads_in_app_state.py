"""A FastAPI service that keeps the parts of each upload in app.state.

expect: leak
scope: PUT /uploads/{number}
rule: L04
holder: module __main__ → app → uploads
per run: 17000
"""

import asyncio
import os

import httpx
from fastapi import FastAPI, Request

from outlive.integrations.asgi import ScopeMiddleware

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
app = FastAPI()
app.add_middleware(ScopeMiddleware)
app.state.uploads = {}


@app.put("/uploads/{number}")
async def upload(number: int, request: Request) -> dict[str, int]:
    parts = b"".join([part async for part in request.stream()])
    request.app.state.uploads[number] = parts.hex()  # made
    return {"bytes": len(parts)}


async def main() -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for number in range(RUNS):
            answer = await client.put(f"/uploads/{number}", content=bytes(8192))
            answer.raise_for_status()


asyncio.run(main())
