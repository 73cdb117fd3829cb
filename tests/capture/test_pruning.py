"""Which old recordings give way to a new one: never one that lives, never what is not ours."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from outlive.capture import notes, proc, recording
from outlive.errors import OutliveError
from outlive.model import layout
from tests.recording import synthetic

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20
OURS = "20261123T110000.outlive"


class Folder:
    """A folder of recordings, each as old as asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(
        self,
        name: str,
        age: float,
        *,
        state: str = "running",
        pid: int = 0,
        said: dict[str, object] | None = None,
    ) -> Path:
        """Add the recording of a process; by default of one that was killed and is gone."""
        recorded = synthetic.recording(process={"state": state, "pid": pid or 1 << 22})
        data = bytearray(synthetic.encode(recorded, points=1))
        offset, size = synthetic.sections(bytes(data))["notes"]

        def write(at: int, page: bytes) -> None:
            data[at : at + len(page)] = page

        notes.Notes(offset, size, write, said or {}).write()
        file = self.path / name
        file.write_bytes(data)
        self.age(file, age)
        return file

    def age(self, file: Path, seconds: float) -> None:
        then = time.time() - seconds
        os.utime(file, (then, then))

    def left_after_a_start(self) -> set[str]:
        """Start one more recording, and return the names of those that were there before."""
        made = Path(recording.create(str(self.path), 4096, lambda _: None))
        return {file.name for file in self.path.iterdir()} - {made.name}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def sleeper() -> Iterator[int]:
    """The pid of a process that lives."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield child.pid
    child.communicate(b"\n")


def test_the_eight_newest_of_the_dead_stay(folder: Folder) -> None:
    for number in range(12):
        folder.add(f"{number}-{OURS}", 1000 * (number + 1))
    assert folder.left_after_a_start() == {f"{number}-{OURS}" for number in range(8)}


def test_what_was_killed_stays_before_what_ended_well(folder: Folder) -> None:
    killed = {folder.add(f"{number}-{OURS}", 50_000).name for number in range(4)}
    killed |= {folder.add(f"{number}-{OURS}", 50_000, state="signalled").name for number in range(4, 7)}
    for number in range(20, 40):  # a health check that runs again and again
        folder.add(f"{number}-{OURS}", 40 - number + 200, state="exited")
    assert folder.left_after_a_start() == killed | {f"39-{OURS}"}


def test_sixty_four_megabytes_of_the_dead_stay(folder: Folder) -> None:
    for number in range(4):
        file = folder.add(f"{number}-{OURS}", 1000 * (number + 1))
        os.truncate(file, 30 * MIB)
        folder.age(file, 1000 * (number + 1))
    assert folder.left_after_a_start() == {f"0-{OURS}", f"1-{OURS}"}


def crowd(folder: Folder) -> None:
    for number in range(100, 108):
        folder.add(f"{number}-{OURS}", 1)


def test_the_living_stay_however_old(folder: Folder, sleeper: int) -> None:
    crowd(folder)
    said: dict[str, object] = {"start_ticks": proc.start_ticks(sleeper)}
    live = folder.add(f"1-{OURS}", 1e6, pid=sleeper, said=said)
    folder.add(f"2-{OURS}", 1e6, pid=sleeper, said={"start_ticks": 1})  # of whom had that pid before
    own = folder.add(f"3-{OURS}", 1e6, pid=os.getpid())
    left = folder.left_after_a_start()
    assert {live.name, own.name} <= left
    assert f"2-{OURS}" not in left


def test_a_dead_process_that_its_parent_did_not_reap_is_dead(folder: Folder) -> None:
    crowd(folder)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    folder.add(f"1-{OURS}", 1e6, pid=child.pid, said={"start_ticks": proc.start_ticks(child.pid)})
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert f"1-{OURS}" not in folder.left_after_a_start()
    child.communicate()


@pytest.mark.parametrize("elsewhere", [{"pid_namespace": 4}, {"boot_id": "another"}])
def test_of_another_namespace_what_was_touched_lately_stays(
    folder: Folder, elsewhere: dict[str, object]
) -> None:
    crowd(folder)
    folder.add(f"1-{OURS}", 3600, said=elsewhere)
    folder.add(f"2-{OURS}", 60, said=elsewhere)  # a live one is touched each minute
    folder.add(f"3-{OURS}", -60, said=elsewhere)  # clocks differ
    left = folder.left_after_a_start()
    assert {f"2-{OURS}", f"3-{OURS}"} <= left
    assert f"1-{OURS}" not in left


def test_what_is_not_ours_stays(folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    crowd(folder)
    recorded = folder.add("named-by-hand.outlive", 1e6)
    strange = [f"x-{OURS}", "1-20261123.outlive", f"1-{OURS}.bak", "1-20261123T110000-.outlive", OURS]
    for name in strange:
        folder.add(name, 1e6)
    other = tmp_path_factory.mktemp("other") / "1.outlive"
    other.write_bytes(recorded.read_bytes())
    (folder.path / f"1-{OURS}").symlink_to(other)
    (folder.path / f"2-{OURS}").write_bytes(b"outlive\0")
    (folder.path / f"3-{OURS}").mkdir()
    os.mkfifo(folder.path / f"4-{OURS}")
    newer = folder.add(f"5-{OURS}", 1e6)
    data = bytearray(newer.read_bytes())
    data[len(layout.MAGIC)] = layout.VERSION + 1
    newer.write_bytes(data)
    before = {file.name for file in folder.path.iterdir()}
    assert folder.left_after_a_start() == before
    assert other.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's files")
def test_recordings_of_somebody_else_stay(folder: Folder) -> None:
    crowd(folder)
    theirs = folder.add(f"1-{OURS}", 1e6)
    os.chown(theirs, 65534, 65534)
    assert theirs.name in folder.left_after_a_start()


@pytest.mark.parametrize("state", ["running", "signalled"])
def test_what_was_killed_is_kept_beside_the_named_file_that_takes_its_place(
    folder: Folder, state: str
) -> None:
    for age in (20, 10):
        killed = folder.add("mine.outlive", age, state=state)
        evidence = killed.read_bytes()
        assert recording.create(str(killed), 4096, lambda _: None) == str(killed)
        assert killed.stat().st_size == 4096
        assert (folder.path / "mine.1.outlive").read_bytes() == evidence
    # One that ended well is no reason to give the evidence up.
    ended = folder.add("mine.outlive", 5, state="exited")
    recording.create(str(ended), 4096, lambda _: None)
    assert (folder.path / "mine.1.outlive").read_bytes() == evidence


def test_what_is_no_recording_does_not_give_way_to_one_that_was_killed(folder: Folder) -> None:
    killed = folder.add("mine.outlive", 10)
    (folder.path / "mine.1.outlive").write_bytes(b"data")
    before = killed.read_bytes()
    with pytest.raises(OutliveError, match="in use, or no recording"):
        recording.create(str(killed), 4096, lambda _: None)
    assert (folder.path / "mine.1.outlive").read_bytes() == b"data"
    assert killed.read_bytes() == before


def test_a_named_file_takes_the_place_of_a_dead_recording_only(folder: Folder, sleeper: int) -> None:
    dead = folder.add("mine.outlive", 10, state="stopped")
    assert recording.create(str(dead), 4096, lambda _: None) == str(dead)
    assert dead.stat().st_size == 4096
    live = folder.add("live.outlive", 10, pid=sleeper, said={"start_ticks": proc.start_ticks(sleeper)})
    before = live.read_bytes()
    with pytest.raises(OutliveError, match="in use"):
        recording.create(str(live), 4096, lambda _: None)
    assert live.read_bytes() == before
