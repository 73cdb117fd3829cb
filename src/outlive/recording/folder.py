"""Recordings found: in their folders, and by the process that writes them."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from outlive.capture import proc
from outlive.errors import OutliveError
from outlive.model.folders import RECORDING_VARIABLE, SUFFIX, names_a_file, recording_folders
from outlive.recording.processes import is_live
from outlive.recording.reader import outline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from outlive.model.recording import Process, Recording

NOT_RUNNING = "it does not run outlive"
_START = "start it with: outlive run --sample PROGRAM"


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording in a folder, as `reader.outline` gives it. `last`: Unix time of the last sign of life."""

    file: Path
    outline: Recording
    live: bool
    last: float

    @property
    def process(self) -> Process:
        """Whose it is."""
        return self.outline.process


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies in folders: recordings, the last active first, and what there is against other files."""

    recordings: tuple[Listed, ...]
    unreadable: tuple[OutliveError, ...]


def folders(uid: int | None = None, asked: str | None = None) -> list[Path]:
    """Return the folders that hold recordings of a user, by default of this one, as far as they exist.

    Where OUTLIVE_RECORDING names one, that alone: who names a place means it.
    """
    said = os.environ.get(RECORDING_VARIABLE, "") if asked is None else asked
    if said and os.path.isdir(said):  # noqa: PTH112 - Path.is_dir() fails for names that are too long
        return [Path(said)]
    owner = os.getuid() if uid is None else uid
    named = recording_folders(owner, said)
    return [Path(folder) for folder in named if _belongs_to(folder, owner)]


def _belongs_to(folder: str, uid: int) -> bool:
    """Return whether a folder is there and a user's own: anybody can make one with the name of a default."""
    try:
        found = os.lstat(folder)
    except (OSError, ValueError):
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == uid


def listing(places: Iterable[Path] | None = None) -> Listing:
    """Return the recordings in these folders, by default in this user's.

    Raises:
        OutliveError: a folder can't be read.

    """
    found, unreadable = [], []
    for folder in folders() if places is None else places:
        for file in _files(folder):
            try:
                found.append(look(file))
            except OutliveError as error:
                if file.exists():  # else it was removed meanwhile
                    unreadable.append(error)
    found.sort(key=lambda listed: (listed.live, listed.last), reverse=True)
    return Listing(tuple(found), tuple(unreadable))


def look(file: Path) -> Listed:
    """Return what a list says of one recording.

    Raises:
        OutliveError: as for `reader.read`.

    """
    recording = outline(file)
    process = recording.process
    last = max((process.began, process.ended or 0.0, *(point.time for point in recording.timeline[-1:])))
    return Listed(file, recording, is_live(recording), last)


def of_process(pid: int) -> Path:
    """Return the file that a living process records to.

    Raises:
        OutliveError: there is none, and why.

    """
    process = Path(f"/proc/{pid}")
    try:
        uid = process.stat().st_uid
    except OSError:
        uid = os.getuid()
    for listed in (*_mapped(process), *_listed_as(pid, uid, process)):
        if listed.live:
            return listed.file
    raise _not_found(pid, uid, process)


def _files(folder: Path) -> list[Path]:
    try:
        return [file for file in folder.iterdir() if file.suffix == SUFFIX and not file.is_symlink()]
    except OSError as error:
        raise OutliveError(f"can't read {folder}", error.strerror or str(error)) from error


def _listed_as(pid: int, uid: int, process: Path) -> Iterator[Listed]:
    """Yield the recordings that name this process, in the folders that its user and its environment mean."""
    places = folders(uid)
    with suppress(OSError):
        for variable in (process / "environ").read_bytes().split(b"\0"):
            name, _, said = variable.partition(b"=")
            if name == RECORDING_VARIABLE.encode():
                asked = os.fsdecode(said)
                places += [Path(asked).parent] if names_a_file(asked) else folders(uid, asked)
    for folder in dict.fromkeys(places):
        with suppress(OutliveError):
            yield from (listed for listed in listing([folder]).recordings if listed.process.pid == pid)


def _mapped(process: Path) -> Iterator[Listed]:
    """Yield the recordings that a process has mapped, wherever they lie, as it sees them and as we do."""
    try:
        text = (process / "maps").read_text(errors="surrogateescape")
        numbers = set(
            (process / "status").read_text(errors="replace").partition("NSpid:")[2].split("\n")[0].split()
        )
    except OSError:
        return
    for line in text.splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) < 6 or fields[1] != "rw-s" or not fields[5].startswith("/"):  # noqa: PLR2004
            continue
        for file in (Path(fields[5]), process / "root" / fields[5].lstrip("/")):
            with suppress(OutliveError, OSError):
                if not stat.S_ISREG(file.lstat().st_mode):  # to open a device may do anything
                    continue
                listed = look(file)
                if str(listed.process.pid) in numbers:
                    yield listed
                    break


def _not_found(pid: int, uid: int, process: Path) -> OutliveError:
    if uid != os.getuid() and os.getuid() != 0:
        return OutliveError(
            f"can't see the recording of process {pid}",
            f"it belongs to user {uid}",
            "ask as that user, or as root",
        )
    if not proc.start_ticks(pid):
        is_zombie = process.exists()
        why = "it is a zombie, not reaped by its parent" if is_zombie else ""
        dead = [listed for listed in listing(folders(uid)).recordings if listed.process.pid == pid]
        if dead or is_zombie:
            file = f" {dead[0].file}" if dead else ""
            return OutliveError(f"process {pid} has ended", why, f"outlive postmortem{file}")
        return OutliveError(f"there is no process {pid}", hint="outlive top lists those that record")
    return OutliveError(
        f"there is no recording of process {pid}", NOT_RUNNING, f"outlive attach {pid}, or {_START}"
    )
