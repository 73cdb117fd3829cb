"""AsyncSessions in a dependency that closes them.

expect: no leak
"""

import asyncio
import os

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import StaticPool

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
ENGINE = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
SESSIONS = async_sessionmaker(ENGINE, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Activity(Base):
    __tablename__ = "activity"
    id: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str]


async def main() -> None:
    async with ENGINE.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(insert(Activity), [{"what": "login " * 50} for _ in range(20)])
    for number in range(RUNS):
        async with outlive.scope("export"), SESSIONS() as session:
            for activity in await session.scalars(select(Activity)):
                activity.what = f"seen {number}"
            await session.commit()
    await ENGINE.dispose()


asyncio.run(main())
