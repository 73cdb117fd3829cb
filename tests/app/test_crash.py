"""The service as a process of its own: killed, stopped, and out of disk."""

import resource
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from httpx import Client

from app.auth import create_key
from app.db.engine import open_engine
from app.settings import Settings
from tests.app.activity import big_rows, insert, nasty_rows, read_back, stored
from tests.app.child import ServiceProcess, service_process

_EXPORTS = "/api/v1/exports"


@pytest.fixture
def key(settings: Settings) -> str:
    with open_engine(settings.database) as engine:
        return create_key(engine, "acme")


@pytest.fixture
def large(settings: Settings) -> None:
    """Enough activity that an export can be caught in the middle: some 80 MB."""
    insert(settings.database, "acme", "u1", nasty_rows() + big_rows(1_600, 50_000))


def _job(settings: Settings) -> tuple[str, int]:
    with closing(sqlite3.connect(settings.database)) as connection:
        ((state, attempts),) = connection.execute("SELECT state, attempts FROM export_job")
    return state, attempts


def _begin(service: ServiceProcess, client: Client, settings: Settings) -> str:
    """Start an export and hold the whole process while its file is half written; return its address."""
    location: str = client.post(_EXPORTS, json={"user_id": "u1"}).headers["Location"]
    service.wait_for(lambda: any(path.stat().st_size for path in settings.directory.glob(".*.part")))
    service.signal(signal.SIGSTOP)
    assert _job(settings) == ("running", 1), "the export was over before it could be caught"
    return location


def _end(service: ServiceProcess, client: Client, location: str) -> dict[str, Any]:
    def ended() -> bool:
        return client.get(location).json()["state"] in {"done", "failed"}

    service.wait_for(ended)
    answer: dict[str, Any] = client.get(location).json()
    return answer


@pytest.mark.usefixtures("large")
def test_an_export_killed_half_way_is_done_after_a_restart(
    settings: Settings, key: str, tmp_path: Path
) -> None:
    with service_process(settings, tmp_path / "log1") as service, service.client(key) as client:
        location = _begin(service, client, settings)
        service.signal(signal.SIGKILL)
        assert service.process.wait() == -signal.SIGKILL
    (half,) = settings.directory.iterdir()
    assert half.suffix == ".part"
    assert _job(settings) == ("running", 1)

    with service_process(settings, tmp_path / "log2") as service, service.client(key) as client:
        ended = _end(service, client, location)
        content = client.get(f"{location}/download").content
    rows = stored(settings.database, "acme", "u1")
    assert (ended["state"], ended["rows"], ended["bytes"]) == ("done", len(rows), len(content))
    assert read_back(content) == rows
    assert _job(settings) == ("done", 2)
    assert [path.name for path in settings.directory.iterdir()] == [f"{ended['id']}.csv"]


@pytest.mark.usefixtures("large")
def test_an_orderly_stop_puts_the_export_back(settings: Settings, key: str, tmp_path: Path) -> None:
    with service_process(settings, tmp_path / "log") as service:
        with service.client(key) as client:
            _begin(service, client, settings)
        service.signal(signal.SIGTERM)
        service.signal(signal.SIGCONT)
        service.process.wait(timeout=60)
    assert _job(settings) == ("queued", 0)
    assert list(settings.directory.iterdir()) == []


def test_a_full_disk_fails_the_export_and_not_the_service(
    settings: Settings, key: str, tmp_path: Path
) -> None:
    # Quotes are doubled: 4 MB in the database become 8 MB, and the limit for any file lies between.
    insert(settings.database, "acme", "u1", [("2024", "quotes", '"' * 40_000)] * 100)
    insert(settings.database, "acme", "u2", nasty_rows())
    with service_process(settings, tmp_path / "log") as service, service.client(key) as client:
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (6_000_000, 6_000_000))
        too_large = _end(service, client, client.post(_EXPORTS, json={"user_id": "u1"}).headers["Location"])
        small = _end(service, client, client.post(_EXPORTS, json={"user_id": "u2"}).headers["Location"])
    assert (too_large["state"], too_large["error"]) == ("failed", "cannot write the file: File too large")
    assert small["state"] == "done"
    assert [path.name for path in settings.directory.iterdir()] == [f"{small['id']}.csv"]


def test_a_second_service_on_the_same_database_is_refused(
    settings: Settings, key: str, tmp_path: Path
) -> None:
    with (
        service_process(settings, tmp_path / "log1") as first,
        first.client(key),
        service_process(settings, tmp_path / "log2") as second,
    ):
        assert second.process.wait(timeout=60) == 1
    (line,) = (tmp_path / "log2").read_text().splitlines()
    assert line.startswith("Error: another service works on ")
