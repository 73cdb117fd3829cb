"""A copy of outlive where the process attached to can read it, if it can't read this one.

A container has other folders, and a service's user may not be let into the folder that holds this outlive.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from outlive.errors import OutliveError

if TYPE_CHECKING:
    from outlive.attach.target import Target

_PREFIX = "outlive-attach-"
_PLACES = ("/tmp", "/var/tmp", "/run", "/dev/shm", "/")  # noqa: S108 - a new folder in it, of the target's user
# What only the commands need.
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "attach", "cli", "demo", "top", "templates", "*.pyi")


def folders() -> list[str]:
    """Return where this outlive lies: the folders of its package, that of its Python sources last."""
    package = sys.modules["outlive"]  # it is above this room
    home = str(Path(str(package.__file__)).parent)
    return [*(folder for folder in package.__path__ if folder != home), home]


def provide(target: Target, packages: list[str]) -> list[str]:
    """Return the folders from which a process can import outlive: these, or a copy.

    Raises:
        OutliveError: there is no place for a copy.

    """
    if all(_is_seen(folder, target) for folder in packages):
        return packages
    troubles = []
    for place in _PLACES:
        try:
            trouble = _against(target.root / place.lstrip("/"))
            if not trouble:
                return [_copy(packages, target, place)]
        except OSError as error:
            trouble = error.strerror or str(error)
        troubles.append(f"{place}: {trouble}")
    raise OutliveError(
        f"process {target.pid} can't read this outlive",
        f"and there is no place for a copy ({', '.join(troubles)})",
        "install outlive there, and call outlive.start() in the program",
    )


def remove(target: Target, packages: list[str]) -> None:
    """Remove the folders among these that `provide` made."""
    for folder in packages:
        path = Path(folder)
        outside = target.root / folder.lstrip("/")
        # The process itself named them.
        is_ours = path.name.startswith(_PREFIX) and str(path.parent) in _PLACES
        if is_ours and not outside.parent.is_symlink():
            shutil.rmtree(outside, ignore_errors=True)


def _against(folder: Path) -> str:
    """Return what keeps a folder from holding a copy; "" if nothing does."""
    if folder.is_symlink():
        return "it is a link"  # and would lead out of the container
    flags = os.statvfs(folder).f_flag
    return "no library can be loaded from it" if flags & (os.ST_NOEXEC | os.ST_RDONLY) else ""


def _copy(packages: list[str], target: Target, place: str) -> str:
    made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=target.root / place.lstrip("/")))
    try:
        for folder in packages:
            shutil.copytree(folder, made, ignore=_LEFT_OUT, dirs_exist_ok=True)
        for path in (made, *made.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return f"{place.rstrip('/')}/{made.name}"


def _is_seen(folder: str, target: Target) -> bool:
    """Whether a process finds the same folder under the same name, and may enter and read it."""
    path = Path(folder)
    try:
        if not os.path.samestat(path.stat(), (target.root / folder.lstrip("/")).stat()):
            return False
        return target.uid == 0 or all(_may_enter(each, target) for each in (path, *path.parents))
    except OSError:
        return False


def _may_enter(folder: Path, target: Target) -> bool:
    found = folder.stat()
    for owns, bits in (
        (found.st_uid == target.uid, stat.S_IXUSR),
        (found.st_gid == target.gid, stat.S_IXGRP),
    ):
        if owns:
            return bool(found.st_mode & bits)
    return bool(found.st_mode & stat.S_IXOTH)
