from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi import FastAPI
from uvicorn.importer import ImportFromStringError, import_from_string

from app.__main__ import command
from app.auth import find_tenant
from app.db.engine import open_engine


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "data" / "exports.sqlite"
    monkeypatch.setenv("EXPORTS_DATABASE", str(path))
    return path


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["create-key"], "Missing option '--tenant'"),
        (["create-key", "--tenant", " "], "Invalid value for --tenant: is empty: name a tenant"),
        (["serve", "--port", "70000"], "Invalid value for '--port'"),
        (["fly"], "No such command 'fly'"),
    ],
)
def test_wrong_usage_is_told_in_one_line(database: Path, arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert told in result.stderr.splitlines()[-1]
    assert not database.exists()


def test_a_wrong_setting_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPORTS_WORKERS", "many")
    result = CliRunner().invoke(command, ["create-key", "--tenant", "acme"])
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("Error: EXPORTS_WORKERS is 'many': it takes")


@pytest.mark.parametrize("arguments", [["serve"], ["create-key", "--tenant", "acme"]])
def test_a_database_that_cannot_be_made_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EXPORTS_DATABASE", str(tmp_path / "file" / "exports.sqlite"))
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")


def test_a_key_is_printed_once_and_works(database: Path) -> None:
    result = CliRunner().invoke(command, ["create-key", "--tenant", "acme"])
    assert result.exit_code == 0
    (key,) = result.stdout.splitlines()
    with open_engine(database) as engine:
        assert find_tenant(engine, key) == "acme"


def test_servers_find_the_application_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPORTS_DATABASE", str(tmp_path / "exports.db"))
    monkeypatch.setenv("EXPORTS_DIRECTORY", str(tmp_path / "exports"))
    assert isinstance(import_from_string("app.main:app"), FastAPI)
    with pytest.raises(ImportFromStringError):
        import_from_string("app.main:application")
