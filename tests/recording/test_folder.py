"""Recordings are found by folder and by process; the living are told from the dead, whoever has their pid."""

from __future__ import annotations

import mmap
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from outlive.capture import proc
from outlive.errors import OutliveError
from outlive.recording import folder
from outlive.recording.processes import is_live
from tests.recording import synthetic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from outlive.model.recording import Point, Recording

HERE = {"boot_id": proc.boot_id(), "pid_namespace": proc.pid_namespace()}


def of(
    pid: int,
    *,
    timeline: Sequence[Point] = (),
    state: str = "running",
    notes: Mapping[str, object] | None = None,
) -> Recording:
    """A recording of a process that runs here now, but for what `notes` say otherwise."""
    said = {**HERE, "start_ticks": proc.start_ticks(pid), **(notes or {})}
    return synthetic.recording(timeline=timeline, process={"pid": pid, "notes": said, "state": state})


def point_at(when: float) -> list[Point]:
    return [synthetic.point(5.0, time=when)]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of our own, which nobody else's recordings are in."""
    place = tmp_path / "recordings"
    place.mkdir()
    monkeypatch.setenv("OUTLIVE_RECORDING", str(place))
    monkeypatch.setattr(folder, "recording_folders", lambda _uid, asked: [asked] if asked else [])
    return place


@contextmanager
def child(
    program: str = "input()", environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a Python process that has said it is ready; ended at the end."""
    words = [sys.executable, "-c", f"print('ready', flush=True); {program}"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def test_a_process_lives_until_it_is_killed() -> None:
    with child() as process:
        recorded = of(process.pid)
        assert is_live(recorded)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not is_live(recorded)  # its parent has not taken notice yet
    assert not is_live(recorded)


@pytest.mark.parametrize("state", ["stopped", "exited", "signalled"])
def test_what_has_ended_by_its_own_word_is_not_live(state: str) -> None:
    assert not is_live(of(os.getpid(), state=state))


@pytest.mark.parametrize("notes", [{"start_ticks": 1}, {"start_ticks": None}, {"boot_id": "another"}])
def test_a_pid_that_another_process_has_now_is_not_live(notes: dict[str, object]) -> None:
    assert not is_live(of(os.getpid(), timeline=point_at(time.time()), notes=notes))


@pytest.mark.parametrize(("age", "live"), [(1, True), (-1, True), (60, False), (-60, False)])
def test_of_another_container_the_timeline_tells(age: float, *, live: bool) -> None:
    recorded = of(os.getpid(), timeline=point_at(time.time() - age), notes={"pid_namespace": 1})
    assert is_live(recorded) == live


def test_without_notes_the_timeline_tells() -> None:
    recorded = synthetic.recording(timeline=point_at(time.time()), process={"pid": os.getpid()})
    assert is_live(recorded)
    assert not is_live(synthetic.recording(process={"pid": os.getpid()}))


def test_a_process_whose_first_thread_ended_lives() -> None:
    program = (
        "import ctypes, threading, signal; wait = [signal.SIGUSR1];"
        "threading.Thread(target=signal.sigwait, args=[wait]).start();"
        "print('started', flush=True); ctypes.CDLL(None).pthread_exit(None)"
    )
    with child(program) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while b"Z" not in proc.read(f"/proc/{process.pid}/stat").rpartition(b")")[2].split()[:1]:
            assert process.poll() is None
            time.sleep(0.01)
        assert is_live(of(process.pid))
        process.send_signal(signal.SIGKILL)


def test_a_folder_is_listed_live_ones_first_then_the_last_active(place: Path) -> None:
    synthetic.write(place / "old.outlive", of(1, state="exited", timeline=point_at(synthetic.BEGAN + 5)))
    synthetic.write(place / "new.outlive", of(2, state="exited", timeline=point_at(synthetic.BEGAN + 50)))
    synthetic.write(place / "live.outlive", of(os.getpid()))
    (place / "junk.outlive").write_bytes(b"junk")
    (place / "new.txt").write_bytes(b"not ours")
    (place / "gone.outlive").symlink_to("/nowhere")
    found = folder.listing()
    assert [listed.file.name for listed in found.recordings] == ["live.outlive", "new.outlive", "old.outlive"]
    assert [listed.live for listed in found.recordings] == [True, False, False]
    assert found.recordings[1].last == synthetic.BEGAN + 50
    assert ["junk.outlive is no recording" in str(error) for error in found.unreadable] == [True]


def test_of_two_recordings_of_one_pid_the_live_one_is_found(place: Path) -> None:
    synthetic.write(place / "a.outlive", of(os.getpid(), notes={"start_ticks": 1}))
    file = synthetic.write(place / "b.outlive", of(os.getpid()))
    assert folder.of_process(os.getpid()) == file


def test_a_recording_is_found_wherever_the_process_has_it(tmp_path: Path) -> None:
    """By its memory map: outlive.start(recording=…) may have named any file."""
    file = synthetic.write(tmp_path / "anywhere.bin", of(os.getpid()))
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0):
        assert folder.of_process(os.getpid()) == file


def test_a_recording_is_found_where_the_environment_of_the_process_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OUTLIVE_RECORDING")
    there = tmp_path / "there"
    there.mkdir()
    for asked in (there, there / "one.outlive"):
        with child(environment={**os.environ, "OUTLIVE_RECORDING": str(asked)}) as process:
            file = synthetic.write(there / "one.outlive", of(process.pid))
            assert folder.of_process(process.pid) == file


def test_a_process_without_a_recording_is_told_how_to_start() -> None:
    said = f"it does not run outlive; outlive attach {os.getpid()}, or start it with: outlive run --sample"
    with pytest.raises(OutliveError, match=said):
        folder.of_process(os.getpid())


def test_a_process_that_is_gone_is_told_from_one_that_never_was(place: Path) -> None:
    with child() as process:
        pass
    with pytest.raises(OutliveError, match=f"there is no process {process.pid}"):
        folder.of_process(process.pid)
    file = synthetic.write(place / "dead.outlive", of(process.pid))
    with pytest.raises(OutliveError, match=f"process {process.pid} has ended; outlive postmortem {file}"):
        folder.of_process(process.pid)


def test_a_zombie_has_ended(place: Path) -> None:
    with child() as process:
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        ended = (
            f"process {process.pid} has ended: it is a zombie, not reaped by its parent; outlive postmortem"
        )
        with pytest.raises(OutliveError, match=f"{ended}$"):
            folder.of_process(process.pid)
        file = synthetic.write(place / "dead.outlive", of(process.pid))
        with pytest.raises(OutliveError, match=f"{ended} {file}$"):
            folder.of_process(process.pid)


def test_another_users_process_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sleep", "60"], user=65534 if os.geteuid() == 0 else None) as process:
        monkeypatch.setattr(os, "getuid", lambda: 12345)
        with pytest.raises(OutliveError, match=r"it belongs to user \d+; ask as that user, or as root"):
            folder.of_process(process.pid)
        process.kill()


def test_a_folder_that_is_removed_meanwhile_is_empty(place: Path) -> None:
    synthetic.write(place / "a.outlive", of(1))
    place.rename(place.with_name("moved"))
    assert folder.listing().recordings == ()
    with pytest.raises(OutliveError, match="can't read"):
        folder.listing([place])


def test_what_else_a_process_has_mapped_is_not_opened(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """To open a device may do anything."""
    opened: list[str] = []

    def look(file: Path) -> None:
        opened.append(str(file))
        raise OutliveError("no recording")

    monkeypatch.setattr(folder, "look", look)
    with open("/dev/zero", "r+b") as device, mmap.mmap(device.fileno(), 4096):  # noqa: PTH123
        list(folder._mapped(type(tmp_path)("/proc/self")))
    assert "/dev/zero" not in opened


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's folder")
def test_a_default_folder_that_somebody_else_made_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OUTLIVE_RECORDING", raising=False)
    own, theirs, link = (tmp_path / name for name in ("own", "theirs", "link"))
    own.mkdir()
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    link.symlink_to(own)
    named = [str(own), str(theirs), str(link), "x" * 5000]
    monkeypatch.setattr(folder, "recording_folders", lambda *_: named)
    assert folder.folders() == [own]
    assert folder.folders(65534) == [theirs]
