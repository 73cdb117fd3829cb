"""L03: a request's session is handed to a background task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import SUSPENDED, find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence

_SESSION = "(?:Async)?Session"
_OF_SQLALCHEMY = r"\.(?:identity_map|_new|_deleted|_transaction|sync_session)"


def _sign(evidence: Evidence) -> str:
    if found := find(evidence, SUSPENDED, r"local \w+", _SESSION, _OF_SQLALCHEMY):
        task = found.matches[0][2]
        if evidence.frames and all(frame.function != task for frame in evidence.frames):
            return f"{task}() still runs with the session of the request that started it"
    if find(evidence, "BackgroundTask", r"\.(?:args|kwargs)") and find(evidence, _SESSION, _OF_SQLALCHEMY):
        return "a background task was given the session of its request, and keeps it until it ends"
    return ""


RULE = Rule(
    number="L03",
    title="A request's session handed to a background task",
    sign=_sign,
    told="A coroutine that waits has a SQLAlchemy session among its locals, and what is in the session was "
    "made outside of that coroutine; or a `BackgroundTask` of Starlette has one among its arguments.",
    cure="give the task an id, and let it open a session of its own: async with AsyncSession(engine) as "
    "session: …",
    before="""\
import asyncio

from sqlalchemy.orm import Session

TASKS = set()

async def send_mail(session, answer):
    await answer.wait()
    session.commit()

async def order(engine, number, answer):
    session = Session(engine)
    session.add(load(number))
    TASKS.add(asyncio.create_task(send_mail(session, answer)))
    await asyncio.sleep(0)
""",
    after="""\
import asyncio

from sqlalchemy.orm import Session

TASKS = set()

async def send_mail(engine, number, answer):
    await answer.wait()
    with Session(engine) as session:
        session.get_one(Order, number)

async def order(engine, number, answer):
    with Session(engine) as session:
        session.add(load(number))
        session.flush()
    TASKS.add(asyncio.create_task(send_mail(engine, number, answer)))
    await asyncio.sleep(0)
""",
)
