"""Each leak keeps exactly the rows of its exports; its cure keeps none."""

import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from examples.leaky_export import leaks
from examples.leaky_export.aftermath import survivors
from examples.leaky_export.leaks import LEAKS, run_exports
from tests.examples.conftest import opened

pytestmark = pytest.mark.anyio

# More exports than SQLAlchemy's pool has connections: none of the leaks may stumble over those instead.
EXPORTS, ROWS = 20, 7


@pytest.fixture
async def engine(seeded: Path) -> AsyncIterator[AsyncEngine]:
    async with opened(seeded) as engine:
        yield engine


@pytest.mark.parametrize("name", LEAKS)
async def test_a_leak_keeps_every_row_of_every_export(name: str, engine: AsyncEngine, tmp_path: Path) -> None:
    leak, _ = LEAKS[name]
    await run_exports(leak, engine, EXPORTS, ROWS, tmp_path)
    gc.collect()
    assert survivors() == EXPORTS * ROWS


@pytest.mark.parametrize("name", LEAKS)
async def test_a_cure_keeps_none(name: str, engine: AsyncEngine, tmp_path: Path) -> None:
    _, cure = LEAKS[name]
    await run_exports(cure, engine, EXPORTS, ROWS, tmp_path)
    gc.collect()
    assert survivors() == 0


@pytest.mark.parametrize("name", LEAKS)
async def test_leak_and_cure_export_the_same(name: str, engine: AsyncEngine, tmp_path: Path) -> None:
    files = []
    for export in LEAKS[name]:
        directory = tmp_path / export.__name__
        directory.mkdir()
        await run_exports(export, engine, 1, ROWS, directory)
        (file,) = directory.iterdir()
        files.append("full disk" if file.is_symlink() else file.read_text(encoding="utf-8"))
    assert files[0] == files[1]
    assert ("full disk" in files) == (name == "task")


@pytest.mark.parametrize("then", LEAKS)
@pytest.mark.parametrize("first", LEAKS)
async def test_any_may_run_where_another_ran(
    first: str, then: str, engine: AsyncEngine, tmp_path: Path
) -> None:
    for export in (LEAKS[first][0], LEAKS[then][1]):
        await run_exports(export, engine, 2, ROWS, tmp_path)
    assert [file.is_symlink() for file in tmp_path.iterdir()] == [then == "task"] * 2  # noqa: ASYNC240
    failures = [str(task.exception()) for task in leaks.TASKS]
    assert all("No space left" in failure for failure in failures)


async def test_a_kept_session_alone_keeps_no_unchanged_rows(engine: AsyncEngine) -> None:
    session = leaks.RUNNING["only read"] = AsyncSession(engine, expire_on_commit=False)
    gc.collect()  # what other tests left in cycles
    rows = await leaks._fetch(session, ROWS)
    assert survivors() == len(rows) == ROWS
    del rows
    gc.collect()
    assert survivors() == 0
