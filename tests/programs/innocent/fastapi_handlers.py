"""A FastAPI service whose handlers keep nothing.

expect: no leak
"""

import asyncio
import os

import httpx
from fastapi import FastAPI
from pydantic import BaseModel

from outlive.integrations.asgi import ScopeMiddleware

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
app = FastAPI()
app.add_middleware(ScopeMiddleware)


class Order(BaseModel):
    lines: list[str]
    total: float


@app.post("/orders/{number}")
async def order(number: int, order: Order) -> Order:
    await asyncio.sleep(0)
    return Order(lines=[*order.lines, f"order {number}"], total=order.total * 2)


async def main() -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for number in range(RUNS):
            answer = await client.post(f"/orders/{number}", json={"lines": ["x" * 500] * 20, "total": 1.5})
            answer.raise_for_status()


asyncio.run(main())
