"""The recording's file: where it is made, who may see it when, what is refused, what gives way."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import resource
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from outlive.capture import recording
from outlive.errors import OutliveError
from outlive.model import folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MIB = 1 << 20
NAME = re.compile(rf"{os.getpid()}-\d{{8}}T\d{{6}}(-\d+)?\.outlive")
SOMEBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's files")


def filled(handle: int) -> None:
    """Write what no reader is asked to understand here."""
    os.pwrite(handle, b"filled", 0)


def made_in() -> Path:
    """Make a recording where nobody asked for a place, and return its folder."""
    return Path(recording.create(None, MIB, filled)).parent


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
def candidates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two folders that can be made, in the place of the default ones."""
    monkeypatch.delenv(folders.RECORDING_VARIABLE, raising=False)
    places = [tmp_path / "first", tmp_path / "second"]
    monkeypatch.setattr(folders, "recording_folders", lambda _uid, _asked="": [str(each) for each in places])
    return places


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that mounts a file system in memory, with these options."""
    places: list[Path] = []

    def mount(options: str) -> Path:
        place = tmp_path / f"mounted{len(places)}"
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "outlive-test", place], capture_output=True, check=False
        )
        if done.returncode != 0:
            pytest.skip(f"can't mount here: {done.stderr.decode().strip()}")
        places.append(place)
        return place

    yield mount
    for place in places:
        subprocess.run(["umount", place], check=True)


# ---- what is made ----


def test_the_file_is_ours_alone_and_has_all_its_blocks(candidates: list[Path]) -> None:
    path = recording.create(None, 4 * MIB, filled)
    (file,) = candidates[0].iterdir()
    assert str(file) == path
    assert NAME.fullmatch(file.name)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(candidates[0].stat().st_mode) == 0o700
    assert file.stat().st_size == 4 * MIB
    assert file.stat().st_blocks * 512 >= 4 * MIB  # a hole would be SIGBUS on a disk that is full by then


def test_an_open_umask_opens_nothing(candidates: list[Path]) -> None:
    mask = os.umask(0)
    try:
        path = recording.create(None, MIB, filled)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    assert stat.S_IMODE(candidates[0].stat().st_mode) == 0o700


def test_nobody_sees_a_file_before_it_is_filled(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def fill(handle: int) -> None:
        seen.append([name for name in names(tmp_path) if not name.startswith(".")])
        assert os.fstat(handle).st_size == MIB

    recording.create(str(tmp_path), MIB, fill)
    assert seen == [[]]
    assert len(names(tmp_path)) == 1


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(_handle: int) -> None:
        raise OSError(errno.ENOMEM, "no room for the mapping")

    with pytest.raises(OutliveError, match=r"can't record to .*: no room for the mapping"):
        recording.create(str(tmp_path), MIB, fail)
    with pytest.raises(OutliveError):
        recording.create(str(tmp_path / "mine.outlive"), MIB, fail)
    assert names(tmp_path) == []


def test_no_descriptor_stays_open(tmp_path: Path) -> None:
    before = names(Path("/proc/self/fd"))
    recording.create(str(tmp_path), MIB, filled)
    recording.create(str(tmp_path / "mine.outlive"), MIB, filled)
    assert names(Path("/proc/self/fd")) == before


def test_files_of_the_same_second_and_pid_get_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "strftime", lambda *_: "20261123T110000")
    made = [Path(recording.create(str(tmp_path), MIB, filled)).name for _ in range(3)]
    base = f"{os.getpid()}-20261123T110000"
    assert made == [f"{base}.outlive", f"{base}-2.outlive", f"{base}-3.outlive"]


def test_a_file_that_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert recording.create("mine.outlive", MIB, filled) == str(tmp_path / "mine.outlive")
    assert (tmp_path / "mine.outlive").read_bytes()[:6] == b"filled"


def test_the_environment_may_name_a_folder_or_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(folders.RECORDING_VARIABLE, str(tmp_path / "named"))
    assert made_in() == tmp_path / "named"
    monkeypatch.setenv(folders.RECORDING_VARIABLE, str(tmp_path / "one.outlive"))
    assert recording.create(None, MIB, filled) == str(tmp_path / "one.outlive")


# ---- what is refused ----


def test_a_file_that_is_no_old_recording_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "precious.outlive"
    file.write_bytes(b"data")
    with pytest.raises(OutliveError, match="it is in use, or no recording"):
        recording.create(str(file), MIB, filled)
    assert file.read_bytes() == b"data"
    assert names(tmp_path) == ["precious.outlive"]


@pytest.mark.parametrize("place", ["file/in-it", "file/in-it.outlive", "no/such/folder", "no/mine.outlive"])
def test_an_explicit_place_that_can_not_be_fails_at_once(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutliveError, match=rf"can't record to .*{place}: .*; name a file or a folder"):
        recording.create(str(tmp_path / place), MIB, filled)


def test_a_read_only_folder(mounted: Callable[[str], Path], candidates: list[Path]) -> None:
    candidates[0] = mounted("ro")
    with pytest.raises(OutliveError, match="Read-only file system"):
        recording.create(str(candidates[0]), MIB, filled)
    assert made_in() == candidates[1]


def test_a_full_disk(mounted: Callable[[str], Path], candidates: list[Path]) -> None:
    full = candidates[0] = mounted("size=64k,mode=700")
    with pytest.raises(OutliveError, match=r"No space left on device$"):
        recording.create(str(full), MIB, filled)
    assert names(full) == []
    assert made_in() == candidates[1]


def test_a_default_folder_keeps_room_for_others(
    mounted: Callable[[str], Path], candidates: list[Path]
) -> None:
    small = candidates[0] = mounted("size=3m,mode=700")  # /dev/shm may be what the program works in
    assert made_in() == candidates[1]
    assert names(small) == []
    assert recording.create(str(small), MIB, filled).startswith(str(small))  # but not against one's word


def test_a_limit_on_file_sizes_is_an_error_and_not_a_signal(tmp_path: Path) -> None:
    program = (
        "import resource, sys\n"
        "from outlive.capture import recording\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "recording.create(sys.argv[1], 8 << 20, lambda handle: None)\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False
    )
    assert child.returncode == 1
    assert "File too large" in child.stderr.splitlines()[-1]
    assert names(tmp_path) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1 << 20


def test_all_candidates_failing_is_told_with_each_reason(candidates: list[Path]) -> None:
    for place in candidates:
        place.touch()
    with pytest.raises(OutliveError, match=r"Not a directory.*Not a directory.*sampling goes on in memory"):
        recording.create(None, MIB, filled)


# ---- others, who may mean harm ----


def test_a_link_in_the_place_of_a_default_folder_is_not_followed(
    candidates: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    candidates[0].symlink_to(tmp_path / "elsewhere")
    assert made_in() == candidates[1]
    assert names(tmp_path / "elsewhere") == []


def test_a_folder_that_others_may_write_to_is_left_alone(candidates: list[Path]) -> None:
    candidates[0].mkdir()
    candidates[0].chmod(0o770)
    assert made_in() == candidates[1]
    assert names(candidates[0]) == []


@needs_root
def test_a_folder_of_somebody_else_is_left_alone(candidates: list[Path]) -> None:
    candidates[0].mkdir(mode=0o700)
    os.chown(candidates[0], SOMEBODY, SOMEBODY)
    assert made_in() == candidates[1]
    assert names(candidates[0]) == []


def test_links_in_the_place_of_the_file_are_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "strftime", lambda *_: "20261123T110000")
    base, victim = f"{os.getpid()}-20261123T110000", tmp_path / "victim"
    victim.write_bytes(b"data")
    (tmp_path / f".{base}.outlive.part").symlink_to(victim)
    (tmp_path / f"{base}-2.outlive").symlink_to(victim)
    assert recording.create(str(tmp_path), MIB, filled).endswith(f"{base}-3.outlive")
    assert victim.read_bytes() == b"data"


# ---- killed meanwhile ----


def test_what_a_process_killed_while_it_makes_its_file_leaves_the_next_one_removes(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from outlive.capture import recording\n"
        "recording.create(sys.argv[1], 1 << 20, lambda handle: os.kill(os.getpid(), signal.SIGKILL))\n"
    )
    child = subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert child.returncode == -signal.SIGKILL
    (part,) = tmp_path.iterdir()
    assert part.name.startswith(".")
    (tmp_path / ".1-2.outlive.part").touch()  # somebody is just about to lock it
    path = recording.create(str(tmp_path), MIB, filled)
    assert names(tmp_path) == sorted([".1-2.outlive.part", Path(path).name])
    os.utime(tmp_path / ".1-2.outlive.part", (0, 0))
    recording.create(str(tmp_path / "named.outlive"), MIB, filled)
    assert names(tmp_path) == sorted([Path(path).name, "named.outlive"])


def test_a_file_that_is_being_made_stays(tmp_path: Path) -> None:
    program = f"""
from outlive.capture import recording
recording.create({str(tmp_path / "theirs.outlive")!r}, 1 << 20, lambda handle: None)
"""

    def fill(_handle: int) -> None:
        subprocess.run([sys.executable, "-c", program], check=True)

    recording.create(str(tmp_path / "ours.outlive"), MIB, fill)
    assert names(tmp_path) == ["ours.outlive", "theirs.outlive"]


def test_recordings_take_an_eighth_of_a_default_folder(
    mounted: Callable[[str], Path], candidates: list[Path]
) -> None:
    """The default /dev/shm of a container has 64 MiB, and is the program's."""
    small = candidates[0] = mounted("size=64m,mode=700")
    program = (
        "import sys\n"
        "from outlive.capture import recording\n"
        "from outlive.model import folders\n"
        "folders.recording_folders = lambda uid, asked: sys.argv[1:]\n"
        "recording.create(None, 3 << 20, lambda handle: None)\n"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", program, candidates[0], candidates[1]]) for _ in range(8)
    ]
    assert [worker.wait() for worker in workers] == [0] * 8
    assert (len(names(small)), len(names(candidates[1]))) == (2, 6)


def test_a_folder_that_the_environment_names_may_be_filled(
    mounted: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    small = mounted("size=64m,mode=700")
    monkeypatch.setenv(folders.RECORDING_VARIABLE, str(small))
    for _ in range(3):
        recording.create(None, 4 * MIB, filled)
    assert len(names(small)) == 3


def test_a_folder_whose_lock_nobody_gives_back_is_used_all_the_same(
    candidates: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "_TURN_SECONDS", 0.01)
    candidates[0].mkdir(mode=0o700)
    held = os.open(candidates[0], os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    assert made_in() == candidates[0]
    os.close(held)
