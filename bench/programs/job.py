"""The document's whole job, through SQLAlchemy: `job.py DATABASE RUNS plain|outlive|memory_profiler`."""

import asyncio
import importlib
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from time import process_time

from side_by_side.children import hand_over
from sqlalchemy.ext.asyncio import AsyncSession

import outlive
from examples.leaky_export.models import open_engine
from examples.leaky_export.seed import TENANT_ID, USER_ID
from programs.export import profiled


async def _run(job: Callable[..., Awaitable[Path]], database: Path, output_path: Path) -> None:
    engine = open_engine(database)
    async with AsyncSession(engine) as session:
        await job(session, USER_ID, TENANT_ID, output_path)
    await engine.dispose()


def main() -> None:
    """Time the job, its imports left out: the best of a few runs, as noise only ever adds."""
    database, runs, tool = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    if tool != "outlive":  # the example is decorated as it is imported: with the other tool's decorator, then
        outlive.profile = lambda function: profiled(function, tool)  # type: ignore[assignment, return-value]
    job = importlib.import_module("examples.leaky_export.buggy").export_user_data
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs):
            started = process_time()
            asyncio.run(_run(job, database, Path(folder) / "export.csv"))
            seconds.append(process_time() - started)
    with closing(sqlite3.connect(database)) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM user_activity").fetchone()
    hand_over(cpu_seconds=min(seconds), units=rows)


if __name__ == "__main__":
    main()
