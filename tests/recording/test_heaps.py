"""Which snapshots are of the process whose recording it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from outlive.model import heap_layout
from outlive.recording import heaps
from tests.recording import synthetic

if TYPE_CHECKING:
    from pathlib import Path

PID = 4321


def heap(file: Path, seconds: float = 60, pid: int = PID, state: int = heap_layout.COMPLETE) -> Path:
    """Write the beginning of a snapshot that was taken so long after the recording began."""
    taken = round((synthetic.BEGAN + seconds) * 1e9)
    head = heap_layout.HEAD.pack(heap_layout.MAGIC, 1, heap_layout.HEADER_BYTES, heap_layout.HEADER_BYTES)
    info = heap_layout.INFO.pack(pid, 0, state, 0, taken, 0, 0, 0, 0, 0)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes((head + info).ljust(heap_layout.HEADER_BYTES, b"\0"))
    return file


def found(place: Path, noted: object = "") -> list[Path]:
    recorded = synthetic.recording(process={"pid": PID, "notes": {"triggers": {"snapshot": noted}}})
    return heaps.of_recording(place / "app.outlive", recorded)


def test_those_beside_it_the_last_first(tmp_path: Path) -> None:
    first, last = heap(tmp_path / "app.1.heap", 5), heap(tmp_path / "app.2.heap", 9)
    heap(tmp_path / "other.1.heap")
    (tmp_path / "app.outlive").touch()
    assert found(tmp_path) == [last, first]


def test_that_of_the_notes_where_it_was_or_moved_beside(tmp_path: Path) -> None:
    elsewhere = heap(tmp_path / "tmp" / "4321.heap", 9)
    assert found(tmp_path, str(elsewhere)) == [elsewhere]
    moved = elsewhere.rename(tmp_path / "4321.heap")
    assert found(tmp_path, str(elsewhere)) == [moved]


def test_only_whole_ones_of_this_very_process(tmp_path: Path) -> None:
    heap(tmp_path / "app.1.heap", pid=77)
    heap(tmp_path / "app.2.heap", -60)  # of an earlier process with this number
    heap(tmp_path / "app.3.heap", state=heap_layout.WALKING)
    (tmp_path / "app.4.heap").write_bytes(b"outheap\0")
    (tmp_path / "app.5.heap").write_bytes(b"x" * 4096)
    (tmp_path / "app.6.heap").mkdir()
    os.mkfifo(tmp_path / "app.7.heap")
    (tmp_path / "app.8.heap").symlink_to(heap(tmp_path / "tmp" / "x.heap"))
    assert found(tmp_path) == []


@pytest.mark.parametrize("noted", [3, None, "/", "..", "\0", "x" * 5000, "/dev/zero", ["a"]])
def test_notes_that_make_no_sense(tmp_path: Path, noted: object) -> None:
    assert found(tmp_path, noted) == []
    assert found(tmp_path / "gone", noted) == []
