from pathlib import Path

import pytest

from app.settings import Settings, SettingsError


@pytest.mark.parametrize("workers", ["0", "65", "-1", "two", "1.5", "\u0663", " 2", "1e1", "9" * 5_000])
def test_workers_that_are_no_sensible_number_are_refused(workers: str) -> None:
    with pytest.raises(SettingsError, match=r"EXPORTS_WORKERS is .*: it takes a whole number from 1 to 64"):
        Settings.from_environment({"EXPORTS_WORKERS": workers})


def test_nothing_set_is_the_default() -> None:
    assert Settings.from_environment({}) == Settings(
        database=Path("var/exports.sqlite"), directory=Path("var/exports"), workers=2, memory_token=None
    )


def test_empty_is_unset() -> None:
    names = ["DATABASE", "DIRECTORY", "WORKERS", "MEMORY_TOKEN"]
    assert Settings.from_environment({f"EXPORTS_{name}": "" for name in names}) == Settings()


def test_each_setting_is_read() -> None:
    environment = {
        "EXPORTS_DATABASE": "/data/a.sqlite",
        "EXPORTS_DIRECTORY": "/data/files",
        "EXPORTS_WORKERS": "64",
        "EXPORTS_MEMORY_TOKEN": "secret",
    }
    read = Settings.from_environment(environment)
    assert read == Settings(Path("/data/a.sqlite"), Path("/data/files"), 64, "secret")
    assert "secret" not in repr(read)


def test_each_setting_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/export-service.md").read_text()
    for name in ("DATABASE", "DIRECTORY", "WORKERS", "MEMORY_TOKEN"):
        assert f"`EXPORTS_{name}`" in page
