"""Asks a process that runs outlive for a heap snapshot, across users and containers too."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from outlive.errors import OutliveError
from outlive.recording.asking import ask
from outlive.recording.folder import NOT_RUNNING, of_process

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

_NAME = re.compile(r"outlive-[0-9]+-[0-9a-f]{16}[.]heap")  # as capture/requests.py makes it
_ANSWER_SECONDS = 330.0  # capture/snapshot.py gives up at 300


def take(pid: int, out: Path, *, contents: bool, look: Callable[[Path], None] | None = None) -> None:
    """Have process `pid` write a snapshot to `out`.

    Args:
        pid: the process.
        out: the file; an older one is replaced.
        contents: whether the snapshot is to have hashes of values, to find equal ones.
        look: called again and again while it waits, with the file that becomes `out` when it is whole.

    Raises:
        OutliveError: there is none to be had, and why.

    """
    recording = _recording(pid)
    # Where it can, the process writes to the very place; else to one of its own, from which we copy.
    wanted = out.absolute() if _sees_what_we_see(pid) else None
    part = Path(f"{wanted}.{pid}.part")  # as capture/snapshot.py calls it
    try:
        said = ask(
            recording,
            "snapshot",
            str(wanted or ""),
            "contents" if contents else "",
            to="take a snapshot",
            answer_seconds=_ANSWER_SECONDS,
            look=None if look is None or wanted is None else lambda: look(part),
            cancel=True,
        )
    except BaseException:
        with suppress(OSError):
            part.unlink()  # of a process that was killed meanwhile
        raise
    if said.get("what"):
        raise OutliveError(*(str(said.get(part, "")) for part in ("what", "why", "hint")))
    if wanted is None:
        _fetch(pid, str(said.get("path", "")), out)


def _recording(pid: int) -> Path:
    try:
        return of_process(pid)
    except OutliveError as error:
        if error.why != NOT_RUNNING:
            raise
        raise OutliveError(f"process {pid} does not run outlive", hint=f"outlive attach {pid}") from error


def _sees_what_we_see(pid: int) -> bool:
    """Return whether a process has our user and our files."""
    process = Path(f"/proc/{pid}")
    try:
        same_files = (process / "ns/mnt").stat().st_ino == Path("/proc/self/ns/mnt").stat().st_ino
        return same_files and process.stat().st_uid == os.geteuid()
    except OSError:  # it ended, or its kind of file system has no such thing
        return True


def _fetch(pid: int, path: str, out: Path) -> None:
    """Move a file to `out` from where a process of another user or container wrote it.

    What it says of the place is not trusted: root may be asking. Only a file of the process's own user, by
    the name that outlive gives, is read and removed.
    """
    theirs = Path(f"/proc/{pid}/root{path}")
    try:
        if not _NAME.fullmatch(theirs.name):
            raise PermissionError(errno.EPERM, "it is not called as snapshots are")
        handle = os.open(theirs, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as source:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != Path(f"/proc/{pid}").stat().st_uid:
                raise PermissionError(errno.EPERM, "it is not the process's own")
            _copy(source, out)
        theirs.unlink()
    except OSError as error:
        why = error.strerror or str(error)
        raise OutliveError(f"can't fetch {path} from process {pid}", why, "ask as root") from error


def _copy(source: BinaryIO, out: Path) -> None:
    try:
        with out.open("wb") as copy:
            shutil.copyfileobj(source, copy, 1 << 20)
    except BaseException:
        out.unlink(missing_ok=True)
        raise
