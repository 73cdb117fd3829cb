"""An AsyncSession a run, kept and never closed; it holds the rows that were changed.

expect: leak
scope: export
rule: L02
holder: module __main__ → SESSIONS → AsyncSession → identity_map
per run: 38000
"""

import asyncio
import os

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import StaticPool

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
ENGINE = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
SESSIONS: dict[str, AsyncSession] = {}


class Base(DeclarativeBase):
    pass


class Activity(Base):
    __tablename__ = "activity"
    id: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str]
    exported: Mapped[bool] = mapped_column(default=False)


async def export(number: int) -> None:
    session = SESSIONS[f"export-{number}"] = AsyncSession(ENGINE, autoflush=False)
    for activity in (await session.scalars(select(Activity))).all():  # made
        activity.exported = True


async def main() -> None:
    async with ENGINE.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(insert(Activity), [{"what": "login " * 50} for _ in range(20)])
    for number in range(RUNS):
        async with outlive.scope("export"):
            await export(number)
    await ENGINE.dispose()


asyncio.run(main())
