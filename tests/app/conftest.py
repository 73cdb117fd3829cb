"""A service in this process, and the tenants who use it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from app.auth import create_key
from app.main import create_app
from app.settings import Settings


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database=tmp_path / "exports.sqlite", directory=tmp_path / "files", workers=2)


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[FastAPI]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def client_of(service: FastAPI) -> Callable[[str], AsyncClient]:
    """A client that carries a tenant's key."""

    def client(tenant_id: str) -> AsyncClient:
        key = create_key(service.state.service.engine, tenant_id)
        return AsyncClient(
            transport=ASGITransport(service),
            base_url="http://service",
            headers={"Authorization": f"Bearer {key}"},
        )

    return client


@pytest.fixture
async def acme(client_of: Callable[[str], AsyncClient]) -> AsyncIterator[AsyncClient]:
    async with client_of("acme") as client:
        yield client


@pytest.fixture
async def umbrella(client_of: Callable[[str], AsyncClient]) -> AsyncIterator[AsyncClient]:
    async with client_of("umbrella") as client:
        yield client


@pytest.fixture
async def nobody(service: FastAPI) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(service), base_url="http://service") as client:
        yield client
