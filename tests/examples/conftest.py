"""Databases for the example, made by seed.py or row by row, and its command line in a child process."""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Session

from examples.leaky_export import leaks
from examples.leaky_export.models import Base, UserActivity, open_engine
from examples.leaky_export.seed import TENANT_ID, USER_ID, seed

ROOT = Path(__file__).parents[2]
MOMENT = datetime(2024, 2, 29, 23, 59, 59)  # noqa: DTZ001 -- no zone, as the table
SEEDED_ROWS = 300


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def opened(database: Path) -> AsyncIterator[AsyncEngine]:
    """Give an engine; in the end, let go of it and of what the leaks kept."""
    engine = open_engine(database)
    yield engine
    for session in leaks.RUNNING.values():
        await session.close()
    for kept in (leaks.FETCHED, leaks.RUNNING, leaks.TASKS):
        kept.clear()
    await engine.dispose()


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("seeded") / "activity.db"
    seed(database, SEEDED_ROWS)
    return database


@pytest.fixture
def make_database(tmp_path: Path) -> Callable[[Iterable[tuple[str, Any]]], Path]:
    """Make a database of the exported user's rows from (action, details) pairs, through the ORM."""

    def make(rows: Iterable[tuple[str, Any]]) -> Path:
        database = tmp_path / "activity.db"
        engine = create_engine(URL.create("sqlite", database=str(database)))
        Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add_all(
                UserActivity(
                    tenant_id=TENANT_ID, user_id=USER_ID, timestamp=MOMENT, action=action, details=details
                )
                for action, details in rows
            )
            session.commit()
        engine.dispose()
        return database

    return make


@pytest.fixture
def example() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python -m examples.leaky_export ARGUMENTS`."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "examples.leaky_export", *map(str, arguments)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run
