"""Where recordings may lie, in the order in which both sides try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.model.folders import names_a_file, recording_folders

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_memory_comes_before_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/var/tmp/")  # noqa: S108 - a name
    assert recording_folders(7) == ["/dev/shm/outlive-7", "/var/tmp/outlive-7", "/tmp/outlive-7"]  # noqa: S108
    monkeypatch.delenv("TMPDIR")
    assert recording_folders(7) == ["/dev/shm/outlive-7", "/tmp/outlive-7"]  # noqa: S108


def test_what_is_asked_for_comes_first_if_it_is_a_folder(tmp_path: Path) -> None:
    assert recording_folders(7, str(tmp_path))[0] == str(tmp_path)
    assert recording_folders(7, "not/there/yet")[0] == "not/there/yet"
    assert recording_folders(7, "one.outlive") == recording_folders(7)


def test_a_folder_may_be_called_like_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "all.outlive"
    assert names_a_file(str(folder))
    folder.mkdir()
    assert not names_a_file(str(folder))
