import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from httpx import AsyncClient
from sqlalchemy import Engine

from app.auth import create_key, find_tenant
from app.db.engine import open_engine
from app.settings import Settings

_ADDRESSES = [
    ("POST", "/api/v1/exports"),
    ("GET", "/api/v1/exports"),
    ("GET", "/api/v1/exports/0"),
    ("GET", "/api/v1/exports/0/download"),
]


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    with open_engine(settings.database) as engine:
        yield engine


@pytest.mark.anyio
@pytest.mark.parametrize(("method", "path"), _ADDRESSES)
@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer wrong", "Basic YTpi", "Bearer \xff", "Bearer ' OR 1=1", "exports_0"],
)
async def test_without_a_key_that_was_made_nothing_is_answered(
    nobody: AsyncClient, method: str, path: str, header: str
) -> None:
    headers = [(b"Authorization", header.encode("latin-1"))]
    answer = await nobody.request(method, path, json={"user_id": "u1"}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "API key" in answer.json()["detail"]


@pytest.mark.anyio
@pytest.mark.parametrize(("method", "path"), _ADDRESSES)
async def test_no_header_at_all_is_no_key(nobody: AsyncClient, method: str, path: str) -> None:
    assert (await nobody.request(method, path, json={"user_id": "u1"})).status_code == 401


def test_a_key_names_its_tenant_and_no_other_key_does(engine: Engine) -> None:
    acme, umbrella, acme_too = (create_key(engine, tenant) for tenant in ("acme", "umbrella", "acme"))
    assert len({acme, umbrella, acme_too}) == 3
    assert [find_tenant(engine, key) for key in (acme, umbrella, acme_too)] == ["acme", "umbrella", "acme"]
    for wrong in ("", acme[:-1], acme + "0", acme.swapcase(), f" {acme}"):
        assert find_tenant(engine, wrong) is None


def test_the_database_does_not_hold_the_key(engine: Engine, settings: Settings) -> None:
    key = create_key(engine, "acme")
    with closing(sqlite3.connect(settings.database)) as connection:
        dump = "\n".join(connection.iterdump())
    assert "acme" in dump
    assert key not in dump
    assert key.removeprefix("exports_") not in dump
