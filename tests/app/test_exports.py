import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from anyio import fail_after
from fastapi import FastAPI
from httpx import AsyncClient

from app.settings import Settings
from tests.app.activity import big_rows, insert, nasty_rows, read_back, stored

pytestmark = pytest.mark.anyio

_EXPORTS = "/api/v1/exports"


async def _end(client: AsyncClient, location: str) -> dict[str, Any]:
    """Ask until the export has ended."""
    with fail_after(60):
        while True:
            answer: dict[str, Any] = (await client.get(location)).json()
            if answer["state"] in {"done", "failed"}:
                return answer


def _tree(directory: Path) -> set[Path]:
    """Return every file below, but for those that SQLite makes and removes as it likes."""
    return {path for path in directory.rglob("*") if not path.name.endswith(("-wal", "-shm"))}


async def _export(client: AsyncClient, user_id: str) -> dict[str, Any]:
    return await _end(client, (await client.post(_EXPORTS, json={"user_id": user_id})).headers["Location"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"u1"',
        b"{}",
        b'{"user_id": ""}',
        b'{"user_id": null}',
        b'{"user_id": 7}',
        b'{"user_id": ["u1"]}',
        b'{"user_id": "\\ud800"}',
        b'{"user_id": "u1", "\\ud800": 1}',
        b'{"user_id": "u1", "tenant_id": "umbrella"}',
        b'{"user_id": "%s"}' % (b"x" * 201),
        b'{"user_id": "\xff"}',
        b"[" * 5_000,
    ],
)
async def test_a_bad_body_is_refused(acme: AsyncClient, body: bytes) -> None:
    answer = await acme.post(_EXPORTS, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in {400, 422}
    assert answer.json()["detail"]
    assert (await acme.get(_EXPORTS)).json() == []


async def test_a_refusal_does_not_echo_the_input(acme: AsyncClient) -> None:
    answer = await acme.post(_EXPORTS, json={"user_id": ["secret"]})
    assert answer.json() == {
        "detail": [
            {"type": "string_type", "loc": ["body", "user_id"], "msg": "Input should be a valid string"},
        ]
    }


@pytest.mark.parametrize("content_type", [None, "application/x-www-form-urlencoded", "text/json"])
async def test_a_body_not_declared_as_json_is_told_the_header(
    acme: AsyncClient, content_type: str | None
) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = await acme.post(_EXPORTS, content=b'{"user_id": "u1"}', headers=headers)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["header", "content-type"]
    assert "send the header 'Content-Type: application/json'" in problem["msg"]


async def test_a_large_body_is_refused(acme: AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(25):
            yield b" " * 4096

    declared = await acme.post(_EXPORTS, content=b" " * 100_000)
    undeclared = await acme.post(_EXPORTS, content=chunks())
    assert [declared.status_code, undeclared.status_code] == [413, 413]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", ""])
async def test_a_bad_limit_is_refused(acme: AsyncClient, limit: str) -> None:
    assert (await acme.get(_EXPORTS, params={"limit": limit})).status_code == 422


async def test_a_foreign_export_is_as_unknown_as_none(
    acme: AsyncClient, umbrella: AsyncClient, settings: Settings
) -> None:
    insert(settings.database, "acme", "u1", nasty_rows())
    location = f"{_EXPORTS}/{(await _export(acme, 'u1'))['id']}"
    for path in (location, f"{location}/download"):
        answers = [await umbrella.get(path), await umbrella.get(path.replace("/exports/", "/exports/0"))]
        assert [(answer.status_code, answer.json()) for answer in answers] == [
            (404, {"detail": "no such export"})
        ] * 2
    assert (await umbrella.get(_EXPORTS)).json() == []
    assert (await acme.get(f"{location}/download")).status_code == 200


async def test_another_tenants_user_of_the_same_name_is_not_exported(
    umbrella: AsyncClient, settings: Settings
) -> None:
    insert(settings.database, "acme", "u1", nasty_rows())
    export = await _export(umbrella, "u1")
    content = (await umbrella.get(f"{_EXPORTS}/{export['id']}/download")).content
    assert content == b"timestamp,action,details\r\n"


@pytest.mark.parametrize("path", ["..%2F..%2Fetc%2Fpasswd", "..", "%00", "a'b"])
async def test_an_id_that_looks_like_a_path_is_unknown(acme: AsyncClient, path: str) -> None:
    for address in (f"{_EXPORTS}/{path}", f"{_EXPORTS}/{path}/download"):
        assert (await acme.get(address)).status_code == 404


@pytest.mark.parametrize(
    "user_id", ["../../u1", "/etc/passwd", "..", "u\x00", "a/b", "%2e%2e%2f", "CON", "世界 👩", "\n"]
)
async def test_no_user_id_reaches_a_file_name(
    acme: AsyncClient, settings: Settings, tmp_path: Path, user_id: str
) -> None:
    insert(settings.database, "acme", user_id, nasty_rows())
    before = _tree(tmp_path)
    export = await _export(acme, user_id)
    assert _tree(tmp_path) - before == {settings.directory / f"{export['id']}.csv"}
    assert export["user_id"] == user_id
    answer = await acme.get(f"{_EXPORTS}/{export['id']}/download")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="export-{export["id"]}.csv"'
    assert read_back(answer.content) == nasty_rows()


async def test_a_missing_directory_fails_the_export(acme: AsyncClient, settings: Settings) -> None:
    shutil.rmtree(settings.directory)
    export = await _export(acme, "u1")
    assert (export["state"], export["rows"], export["bytes"]) == ("failed", None, None)
    assert export["error"] == "cannot write the file: No such file or directory"
    answer = await acme.get(f"{_EXPORTS}/{export['id']}/download")
    assert answer.status_code == 409
    assert "No such file or directory" in answer.json()["detail"]
    settings.directory.mkdir()
    assert (await _export(acme, "u1"))["state"] == "done"


async def test_a_damaged_table_fails_the_export(acme: AsyncClient, settings: Settings) -> None:
    with closing(sqlite3.connect(settings.database)) as connection, connection:
        connection.execute("ALTER TABLE user_activity RENAME COLUMN details TO lost")
    export = await _export(acme, "u1")
    assert (export["state"], export["error"]) == (
        "failed",
        "cannot read the activity: no such column: details",
    )
    assert list(settings.directory.iterdir()) == []


async def test_a_file_that_was_removed_is_gone(acme: AsyncClient, settings: Settings) -> None:
    export = await _export(acme, "u1")
    (settings.directory / f"{export['id']}.csv").unlink()
    assert (await acme.get(f"{_EXPORTS}/{export['id']}/download")).status_code == 410


async def test_an_export_is_accepted_followed_and_fetched(acme: AsyncClient, settings: Settings) -> None:
    insert(settings.database, "acme", "u1", nasty_rows())
    accepted = await acme.post(_EXPORTS, json={"user_id": "u1"})
    assert accepted.status_code == 202
    assert accepted.headers["Location"] == f"{_EXPORTS}/{accepted.json()['id']}"
    assert int(accepted.headers["Retry-After"]) > 0
    assert accepted.json()["state"] == "queued"

    done = await _end(acme, accepted.headers["Location"])
    file = await acme.get(f"{accepted.headers['Location']}/download")
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert read_back(file.content) == stored(settings.database, "acme", "u1") == nasty_rows()
    assert (done["rows"], done["bytes"], done["error"]) == (len(nasty_rows()), len(file.content), None)
    assert "Retry-After" not in (await acme.get(accepted.headers["Location"])).headers


async def test_two_exports_of_one_user_do_not_clash(acme: AsyncClient, settings: Settings) -> None:
    insert(settings.database, "acme", "u1", nasty_rows() + big_rows(400, 5_000))
    accepted = [await acme.post(_EXPORTS, json={"user_id": "u1"}) for _ in range(2)]
    done = [await _end(acme, answer.headers["Location"]) for answer in accepted]
    assert done[0]["id"] != done[1]["id"]
    for export in done:
        file = await acme.get(f"{_EXPORTS}/{export['id']}/download")
        assert read_back(file.content) == stored(settings.database, "acme", "u1")
    listed = (await acme.get(_EXPORTS, params={"limit": 1})).json()
    assert [export["id"] for export in listed] == [done[1]["id"]]


async def test_the_loop_answers_while_a_large_export_runs(
    acme: AsyncClient, nobody: AsyncClient, service: FastAPI, settings: Settings
) -> None:
    insert(settings.database, "acme", "u1", big_rows(4_000, 5_000))
    export_id = (await acme.post(_EXPORTS, json={"user_id": "u1"})).json()["id"]
    jobs = service.state.service.jobs
    answered_while_running = 0
    while (state := jobs.get("acme", export_id).state) in {"queued", "running"}:
        assert (await nobody.get("/healthz")).json() == {"status": "ok"}
        early = await acme.get(f"{_EXPORTS}/{export_id}/download")
        answered_while_running += jobs.get("acme", export_id).state == "running"
        assert early.status_code in {409, 200}
    assert state == "done"
    assert answered_while_running >= 10
