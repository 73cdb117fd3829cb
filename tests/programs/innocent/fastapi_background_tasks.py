"""Background tasks of FastAPI that open what they need, and end.

expect: no leak
"""

import asyncio
import os

import httpx
from fastapi import BackgroundTasks, FastAPI

from outlive.integrations import starlette
from outlive.integrations.asgi import ScopeMiddleware

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
SENT = {"mails": 0}
app = FastAPI()
app.add_middleware(ScopeMiddleware)
starlette.install()


async def send_mail(body: str) -> None:
    await asyncio.sleep(0)
    SENT["mails"] += len(body) > 0


@app.get("/reminders")
async def remind(background: BackgroundTasks) -> dict[str, int]:
    background.add_task(send_mail, "please pay " * 2000)
    return SENT


async def main() -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for _ in range(RUNS):
            (await client.get("/reminders")).raise_for_status()


asyncio.run(main())
