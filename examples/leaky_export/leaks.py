"""Three leaks as services really have them, each beside its cure.

Every export reads real rows and writes a real file. After a leaking one ended, its rows stay alive;
after a cured one, none do. All have the same signature: who runs them needn't know which is which.
"""

import asyncio
import csv
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

import outlive
from examples.leaky_export.models import HEADER, UserActivity

Export = Callable[[AsyncEngine, str, int, Path], Awaitable[None]]
"""``export(engine, export_id, limit, output_path)`` exports the first ``limit`` rows of the table."""

FETCHED: dict[str, Sequence[UserActivity]] = {}
"""Rows by export id, so that a retry needn't read them again."""

RUNNING: dict[str, AsyncSession] = {}
"""The session of each export, so that an administrator can list and cancel them."""

TASKS: list[asyncio.Task[None]] = []
LIVE_TASKS: set[asyncio.Task[None]] = set()
"""References to tasks, because the event loop keeps only weak ones."""

_logger = logging.getLogger(__name__)


async def cache_leak(engine: AsyncEngine, export_id: str, limit: int, output_path: Path) -> None:
    """Leak: export ids never repeat, so the cache is never hit and only grows."""
    if export_id not in FETCHED:
        async with AsyncSession(engine) as session:
            FETCHED[export_id] = await _fetch(session, limit)
    _write(FETCHED[export_id], output_path)


async def cache_cured(engine: AsyncEngine, export_id: str, limit: int, output_path: Path) -> None:
    """Cure: what was written needs no retry. An entry lives as long as it has a use."""
    await cache_leak(engine, export_id, limit, output_path)
    del FETCHED[export_id]


async def session_leak(engine: AsyncEngine, export_id: str, limit: int, output_path: Path) -> None:
    """Leak: the session stays in the registry, and with it every row it was shown changed.

    A session refers weakly to the rows it loaded, but strongly to those with changes not yet flushed,
    and redaction changes them all. The pool never complains: commit() gave the connection back.
    """
    session = RUNNING[export_id] = AsyncSession(engine, expire_on_commit=False)
    rows = await _fetch(session, limit)
    await session.commit()
    _redact(rows)
    _write(rows, output_path)


async def session_cured(engine: AsyncEngine, export_id: str, limit: int, output_path: Path) -> None:
    """Cure: the session is closed, and leaves the registry, however the export ends."""
    async with AsyncSession(engine, expire_on_commit=False) as session:
        RUNNING[export_id] = session
        try:
            rows = await _fetch(session, limit)
            await session.commit()
            _redact(rows)
            _write(rows, output_path)
        finally:
            del RUNNING[export_id]


async def task_leak(engine: AsyncEngine, export_id: str, limit: int, output_path: Path) -> None:
    """Leak: a finished task keeps its exception, that its traceback, that its frames, those their rows."""
    task = asyncio.create_task(_export_to_full_disk(engine, limit, output_path))
    TASKS.append(task)
    await asyncio.wait([task])
    _logger.error("%s failed: %s", export_id, str(task.exception()))


async def task_cured(engine: AsyncEngine, export_id: str, limit: int, output_path: Path) -> None:
    """Cure: a task leaves the set when it is done. Of the exception, the words in the log are enough."""
    task = asyncio.create_task(_export_to_full_disk(engine, limit, output_path))
    LIVE_TASKS.add(task)
    task.add_done_callback(LIVE_TASKS.discard)
    await asyncio.wait([task])
    _logger.error("%s failed: %s", export_id, str(task.exception()))


LEAKS: dict[str, tuple[Export, Export]] = {
    "cache": (cache_leak, cache_cured),
    "session": (session_leak, session_cured),
    "task": (task_leak, task_cured),
}
"""Each leak and its cure, by name."""


async def run_exports(export: Export, engine: AsyncEngine, exports: int, rows: int, directory: Path) -> None:
    """Run ``export`` ``exports`` times, one after the other, each with an id of its own."""
    for number in range(exports):
        export_id = f"export-{number}"
        output_path = directory / f"{export_id}.csv"
        output_path.unlink(missing_ok=True)  # an earlier run's may be a link to /dev/full
        async with outlive.scope("export"):
            await export(engine, export_id, rows, output_path)


async def _fetch(session: AsyncSession, limit: int) -> Sequence[UserActivity]:
    return (await session.scalars(select(UserActivity).order_by(UserActivity.id).limit(limit))).all()


async def _export_to_full_disk(engine: AsyncEngine, limit: int, output_path: Path) -> None:
    async with AsyncSession(engine) as session:
        rows = await _fetch(session, limit)
    output_path.symlink_to("/dev/full")  # noqa: ASYNC240 -- every write to it fails with ENOSPC
    _write(rows, output_path)


def _redact(rows: Sequence[UserActivity]) -> None:
    for row in rows:
        row.details = {**row.details, "request": "redacted"}


def _write(rows: Sequence[UserActivity], output_path: Path) -> None:
    with output_path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows([row.timestamp.isoformat(), row.action, json.dumps(row.details)] for row in rows)
