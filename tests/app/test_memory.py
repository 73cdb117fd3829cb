import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from app.api.memory import current_sites
from app.main import create_app
from app.settings import Settings
from tests.app import keeping
from tests.app.child import service_process

_STATS = "/api/memory-stats"
_CREDENTIAL = "a token, ünicode"
_PLAIN = "plain"
_HEADERS = [(b"Authorization", f"Bearer {_CREDENTIAL}".encode())]


@dataclass
class _Estimate:
    estimate: float
    low: float
    high: float


@dataclass
class _Site:
    file: str
    line: int
    function: str
    in_use: _Estimate
    blocks: float


@pytest.fixture
async def watched(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    """A service with a token, where outlive cannot be imported."""
    monkeypatch.setitem(sys.modules, "outlive", None)
    app = create_app(replace(settings, memory_token=_CREDENTIAL))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def operator(watched: FastAPI) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(watched), base_url="http://service") as client:
        yield client


@pytest.mark.anyio
@pytest.mark.parametrize("headers", [[], [(b"Authorization", b"Bearer ")], _HEADERS])
async def test_without_a_token_in_the_settings_there_is_no_endpoint(
    nobody: AsyncClient, headers: list[tuple[bytes, bytes]]
) -> None:
    answer = await nobody.get(_STATS, headers=headers)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.anyio
@pytest.mark.parametrize(
    "token", [None, "", "wrong", _CREDENTIAL[:-1], _CREDENTIAL + "e", _CREDENTIAL.upper(), "\xff"]
)
async def test_a_wrong_token_is_refused(operator: AsyncClient, token: str | None) -> None:
    headers = [] if token is None else [(b"Authorization", f"Bearer {token}".encode())]
    answer = await operator.get(_STATS, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.anyio
async def test_a_tenants_key_is_no_memory_token(acme: AsyncClient) -> None:
    assert (await acme.get(_STATS)).status_code == 404


@pytest.mark.anyio
async def test_where_outlive_cannot_run_the_service_does_and_says_why(operator: AsyncClient) -> None:
    answer = await operator.get(_STATS, headers=_HEADERS)
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("outlive cannot watch this process: ")
    assert "outlive" in answer.json()["detail"].partition(": ")[2]
    assert (await operator.get("/healthz")).status_code == 200


@pytest.mark.anyio
async def test_the_answer_has_the_documents_shape(operator: AsyncClient, watched: FastAPI) -> None:
    asked = []

    def sites(limit: int) -> list[_Site]:
        asked.append(limit)
        return [_Site("/srv/app/x.py", 12, "load", _Estimate(3_210_987.6, 2.5 * 2**20, 2**22 - 1), 24.4)]

    watched.dependency_overrides[current_sites] = lambda: sites
    answer = await operator.get(_STATS, headers=_HEADERS)
    assert asked == [10]
    assert answer.json() == {
        "top_allocations": [
            {
                "file": 'File "/srv/app/x.py", line 12',
                "function": "load",
                "size_mb": 3.062,
                "low_mb": 2.5,
                "high_mb": 4.0,
                "count": 24,
            }
        ]
    }


def test_a_line_that_keeps_64_mb_is_on_top(settings: Settings, tmp_path: Path) -> None:
    assert "KEPT.extend" in Path(keeping.__file__).read_text().splitlines()[keeping.KEEPING_LINE - 1]
    watched = replace(settings, memory_token=_PLAIN)
    command = ["uvicorn", "--factory", "tests.app.keeping:create"]
    with service_process(watched, tmp_path / "log", *command) as service, service.client(_PLAIN) as client:
        before = client.get(_STATS).json()["top_allocations"]
        assert client.post("/keep", params={"megabytes": 64}).status_code == 200
        top, *others = client.get(_STATS).json()["top_allocations"]
    assert all(site["size_mb"] < 32 for site in [*before, *others])
    assert top["file"] == f'File "{keeping.__file__}", line {keeping.KEEPING_LINE}'
    # Blocks of 1 MiB at a sampling interval of 128 KiB: one in 3000 is missed.
    assert top["size_mb"] == pytest.approx(64, rel=0.1)
    assert top["count"] == pytest.approx(64, rel=0.1)
    assert top["low_mb"] <= top["size_mb"] <= top["high_mb"]
    assert len(others) <= 9
