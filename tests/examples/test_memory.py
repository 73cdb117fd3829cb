"""The story's test of a hundred exports, once more: on real rows, by what each export leaves behind.

It added up what tracemalloc saw before and after: 50 MB were allowed, and its users had no rows.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from examples.leaky_export import leaks
from examples.leaky_export.leaks import LEAKS
from examples.leaky_export.seed import TENANT_ID, USER_ID
from examples.leaky_export.streaming import export_user_data
from tests.examples.conftest import SEEDED_ROWS, opened

pytestmark = pytest.mark.anyio
ROWS = 20


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def engine(seeded: Path) -> AsyncIterator[AsyncEngine]:
    async with opened(seeded) as engine:
        yield engine


@pytest.mark.limit_growth("10 KiB", runs=100)
async def test_a_hundred_exports_leave_nothing_behind(engine: AsyncEngine, tmp_path: Path) -> None:
    file = await export_user_data(engine, USER_ID, TENANT_ID, tmp_path / "export.csv")
    assert len(file.read_text(encoding="utf-8").splitlines()) > SEEDED_ROWS // 2


@pytest.mark.limit_growth("10 KiB", runs=20)
@pytest.mark.parametrize("name", LEAKS)
async def test_a_cure_does_not_grow(name: str, engine: AsyncEngine, tmp_path: Path) -> None:
    _, cure = LEAKS[name]
    await cure(engine, tmp_path.name, ROWS, tmp_path / "export.csv")


@pytest.mark.xfail(strict=True, reason="it leaks: what the limit is for")
@pytest.mark.limit_growth("10 KiB", runs=20)
async def test_a_leak_is_caught(engine: AsyncEngine, tmp_path: Path) -> None:
    await leaks.cache_leak(engine, tmp_path.name, ROWS, tmp_path / "export.csv")
