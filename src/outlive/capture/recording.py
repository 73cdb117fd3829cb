"""The recording's file: where it lies, that it is whole when it appears, which older ones give way to it."""

from __future__ import annotations

import errno
import os
import stat
import time

from outlive.capture import notes
from outlive.errors import OutliveError
from outlive.model import folders, layout
from outlive.model.size import MIB, mib

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT_FILES = 8
_KEPT_BYTES = 64 * MIB
_MOST_OF_THE_FREE = 4  # a default folder is used if the file takes no more than a quarter of what is free
_MOST_OF_ALL = 8  # ... and all recordings in it no more than an eighth of its file system: /dev/shm is small
_TURN_SECONDS = 1.0
_SAME_SECOND_MAX = 100
_UNTOUCHED_SECONDS = 120  # of another machine or namespace: a live one is touched each minute
_PART_SECONDS = 60
_PART_SUFFIX = f"{folders.SUFFIX}.part"
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def create(place: str | None, size: int, fill: Callable[[int], None]) -> str:
    """Make this process's recording and return its path.

    Args:
        place: a file (it ends in ".outlive") or a folder; None for the first default one that will do.
        size: of the file, in bytes.
        fill: what makes a recording of the new file, given a descriptor. Nobody sees the file before.

    Raises:
        OutliveError: there can be none, and why.

    """
    if place is not None:
        try:
            return _create_at(os.path.abspath(place), size, fill)  # noqa: PTH100 - pathlib is not light
        except OSError as error:
            hint = "" if error.errno == errno.ENOSPC else "name a file or a folder that can be written"
            raise OutliveError(f"can't record to {place}", error.strerror or str(error), hint) from error
    troubles = []
    asked = os.environ.get(folders.RECORDING_VARIABLE, "")
    named = [asked] if folders.names_a_file(asked) else []
    for folder in (*named, *folders.recording_folders(os.geteuid(), asked)):
        try:
            if folder == asked:
                return _create_at(os.path.abspath(asked), size, fill)  # noqa: PTH100 - pathlib is not light
            # Memory (/dev/shm) comes first among them: on a disk, a store into the mapping can wait for the
            # page to be written back, as the JVM's hsperfdata in /tmp taught.
            return _create_in(folder, size, fill, is_asked=False, is_default=folder != asked)
        except OSError as error:
            troubles.append(f"{folder}: {error.strerror or error}")
    raise OutliveError("can't record to a file", ", ".join(troubles), "sampling goes on in memory")


def _create_at(path: str, size: int, fill: Callable[[int], None]) -> str:
    if not folders.names_a_file(path):
        return _create_in(path, size, fill, is_asked=True, is_default=False)
    parent, name = os.path.split(path)
    folder = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _remove_dead_parts(folder)
        _make_way(folder, name)
        _make(folder, name, size, fill)
    finally:
        os.close(folder)
    return path


def _create_in(path: str, size: int, fill: Callable[[int], None], *, is_asked: bool, is_default: bool) -> str:
    folder = open_folder(path, is_asked=is_asked)
    try:
        _take_turn(folder)  # workers that start at once count each other's files
        _prune(folder)
        if not is_asked:
            _refuse_to_crowd(folder, size, is_default=is_default)
        base = f"{os.getpid()}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}"
        for number in range(1, _SAME_SECOND_MAX):
            name = (base if number == 1 else f"{base}-{number}") + folders.SUFFIX
            try:
                _make(folder, name, size, fill)
            except FileExistsError:  # the same pid, in another namespace
                continue
            return os.path.join(path, name)  # noqa: PTH118 - pathlib is not light
        raise OSError(errno.EEXIST, "too many recordings of this second")
    finally:
        _give_turn(folder)
        os.close(folder)


def open_folder(path: str, *, is_asked: bool) -> int:
    """Open a folder, made if need be. Who asked for one answers for who else may write there."""
    try:  # noqa: SIM105 - contextlib is not light
        os.mkdir(path, 0o700)  # noqa: PTH102 - nor is pathlib
    except FileExistsError:
        pass
    # The names of the default folders can be guessed, and anybody can write beside them.
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    folder = os.open(path, flags if is_asked else flags | os.O_NOFOLLOW)
    found = os.fstat(folder)
    trouble = ""
    if found.st_uid != os.geteuid():
        trouble = f"it belongs to user {found.st_uid}"
    elif found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        trouble = "others may write to it"
    if trouble and not is_asked:
        os.close(folder)
        raise OSError(errno.EACCES, trouble)
    return folder


def _take_turn(folder: int) -> None:
    """Wait until nobody else makes a file in this folder; not for ever, as who does may have been stopped."""
    import fcntl

    end = time.monotonic() + _TURN_SECONDS
    while time.monotonic() < end:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.002)
        except OSError:  # this file system has no locks
            return
        else:
            return


def _give_turn(folder: int) -> None:
    """Let others go on: even if a forked child has the descriptor, too."""
    import fcntl

    try:  # noqa: SIM105 - contextlib is not light
        fcntl.flock(folder, fcntl.LOCK_UN)
    except OSError:
        pass


def _refuse_to_crowd(folder: int, size: int, *, is_default: bool) -> None:
    room = os.fstatvfs(folder)
    free, whole = room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize
    if size * _MOST_OF_THE_FREE > free:
        raise OSError(errno.ENOSPC, f"only {mib(free)} are free")
    taken = sum(found.st_blocks * 512 for _name, found in _recordings(folder))
    if is_default and (taken + size) * _MOST_OF_ALL > whole:
        raise OSError(errno.ENOSPC, f"recordings take {mib(taken)} of {mib(whole)} there")


def _recordings(folder: int) -> list[tuple[str, os.stat_result]]:
    """Return the name and state of each recording in a folder, and of each that is being made."""
    found = []
    for name in os.listdir(folder):
        if name.endswith((folders.SUFFIX, _PART_SUFFIX)):
            try:
                found.append((name, os.stat(name, dir_fd=folder, follow_symlinks=False)))
            except OSError:  # it was removed meanwhile
                continue
    return found


def _make(folder: int, name: str, size: int, fill: Callable[[int], None]) -> None:
    """Make a file that appears under its name when it is filled. Its part keeps the name till then."""
    part = f".{name}.part"
    handle = os.open(part, _NEW, 0o600, dir_fd=folder)
    try:
        _lock(handle)
        _refuse_to_replace(folder, name)
        # A store into a hole of the file, on a disk that is full by then, would be SIGBUS.
        os.posix_fallocate(handle, 0, size)
        fill(handle)
        os.rename(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(part, dir_fd=folder)
        raise
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    """Lock a file until it is closed or this process ends, however that may be."""
    try:
        os.lockf(handle, os.F_TLOCK, 0)
    except OSError:
        return False
    return True


def _make_way(folder: int, name: str) -> None:
    """Remove a dead recording, but keep what was killed, beside: NAME.1.outlive."""
    dead = _dead(folder, name)
    if dead is None:
        return
    was_killed, *_ = dead
    if not was_killed:
        os.unlink(name, dir_fd=folder)
        return
    kept = f"{name.removesuffix(folders.SUFFIX)}.1{folders.SUFFIX}"
    if _dead(folder, kept) is None:
        _refuse_to_replace(folder, kept)  # whatever it is
    os.rename(name, kept, src_dir_fd=folder, dst_dir_fd=folder)


def _refuse_to_replace(folder: int, name: str) -> None:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    raise FileExistsError(errno.EEXIST, "it is in use, or no recording")


def _prune(folder: int) -> None:
    """Of dead processes' recordings keep the newest, and rather those that did not end well."""
    _remove_dead_parts(folder)
    dead = []
    for name in _names(folder):
        found = _dead(folder, name)
        if found is not None:
            dead.append((*found, name))
    kept_bytes = 0
    for number, (_was_killed, _time, size, name) in enumerate(sorted(dead, reverse=True)):
        kept_bytes += size
        if number >= _KEPT_FILES or kept_bytes > _KEPT_BYTES:
            _remove(folder, name)


def _names(folder: int) -> list[str]:
    """Return the files in a folder whose names are of our making: PID-YYYYmmddTHHMMSS[-n].outlive."""
    return [name for name in os.listdir(folder) if name.endswith(folders.SUFFIX) and _is_numbered(name)]


def _is_numbered(name: str) -> bool:
    pid, _, rest = name.removesuffix(folders.SUFFIX).partition("-")
    stamp, dash, number = rest.partition("-")
    day, _, clock = stamp.partition("T")
    return all(part.isdecimal() for part in (pid, day, clock, *([number] if dash else [])))


def _dead(folder: int, name: str) -> tuple[bool, float, int] | None:
    """Return (it was killed, time of its last sign of life, bytes) of a dead process's recording of ours.

    None for all else: a live one's, another user's, another version's, no recording at all.
    """
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    try:
        found = os.fstat(handle)
        is_ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        state = _state(handle, found.st_mtime) if is_ours else None
    except OSError:
        return None
    finally:
        os.close(handle)
    if state is None:
        return None
    return state in (layout.RUNNING, layout.SIGNALLED), found.st_mtime, found.st_size


def _state(handle: int, touched: float) -> int | None:
    """Return the state that a recording was left in; None if it goes on, or is none."""
    header = os.pread(handle, layout.LIVE_OFFSET + layout.LIVE.size, 0)
    if len(header) < layout.LIVE_OFFSET + layout.LIVE.size:
        return None
    magic, version, _, _, notes_at, notes_bytes, *_ = layout.DIRECTORY.unpack_from(header)
    if (magic, version) != (layout.MAGIC, layout.VERSION):
        return None
    pid, *_, state, _status, _ended = layout.LIVE.unpack_from(header, layout.LIVE_OFFSET)
    if state == layout.RUNNING:
        alive = notes.is_alive(pid, os.pread(handle, min(notes_bytes, MIB), notes_at))
        if alive or (alive is None and abs(time.time() - touched) < _UNTOUCHED_SECONDS):
            return None
    return int(state)


def _remove_dead_parts(folder: int) -> None:
    """Remove what processes left that were killed while they made their file."""
    for name, found in _recordings(folder):
        if name.startswith(".") and name.endswith(_PART_SUFFIX) and found.st_uid == os.geteuid():
            is_old = time.time() - found.st_mtime > _PART_SECONDS
            if is_old or (found.st_size and _is_unlocked(folder, name)):  # an empty one is not locked yet
                _remove(folder, name)


def _is_unlocked(folder: int, name: str) -> bool:
    try:
        handle = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return False
    try:
        return _lock(handle)
    finally:
        os.close(handle)


def _remove(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:  # another process did, or may and we may not
        return
