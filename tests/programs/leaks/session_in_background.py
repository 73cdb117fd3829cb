"""A handler hands its session to a background task, which waits for a mail server that never answers.

expect: leak
scope: POST /orders
rule: L03
holder: send_mail → session → Session
per run: 27000
"""

import asyncio
import os
from collections.abc import Iterator
from typing import Annotated

import httpx
from fastapi import Depends, FastAPI
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
LOOP = asyncio.new_event_loop()
ANSWER = asyncio.Event()
TASKS: set[asyncio.Task[None]] = set()
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Line(Base):
    __tablename__ = "line"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


def get_session() -> Iterator[Session]:
    yield Session()


async def send_mail(session: Session) -> None:
    await ANSWER.wait()
    session.close()


@app.post("/orders")
async def order(session: Annotated[Session, Depends(get_session)]) -> int:
    session.add_all([Line(id=number, text="x" * 100) for number in range(20)])  # made
    task = asyncio.create_task(send_mail(session))
    TASKS.add(task)
    task.add_done_callback(TASKS.discard)
    return len(session.new)


async def main() -> None:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for _ in range(RUNS):
            async with outlive.scope("POST /orders"):
                answer = await client.post("/orders")
            answer.raise_for_status()


LOOP.run_until_complete(main())
