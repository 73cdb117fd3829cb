"""A heap snapshot of this process: a forked child walks the heap and writes the file, the process goes on."""

from __future__ import annotations

import os
import signal
import sys
import time

from outlive.capture import cgroup, proc
from outlive.capture.core import native
from outlive.errors import OutliveError

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable

_WALL = 0x40000000  # of waitpid: the child has no exit signal, so that no handler of the host's sees it
_MIB = 1 << 20
_LIMIT_MIN = 64 * _MIB
_DARING_MIN = 16 * _MIB
_FILE_SHARE = 0.7  # a file is hardly ever as large as the heap; tables in memory neither
_OF_THE_ROOM = 0.8  # the rest is for what the host copies by writing meanwhile
_PATIENCE_SECONDS = 1.0  # for a collection of garbage to end
_FIRST_LOOK_SECONDS, _LAST_LOOK_SECONDS = 0.0005, 0.05
# state, error, then (after three times) objects: model/heap_layout.py's INFO
_INFO_OFFSET, _STATE, _ERROR, _OBJECTS = 24, 8, 12, 40


def take(
    path: str | os.PathLike[str] | int,
    *,
    contents: bool = False,
    deadline_seconds: float = 300.0,
    progress: Callable[[int], None] | None = None,
    dares: bool = False,
) -> float:
    """Write a snapshot to a file, whole or not at all; return for how many seconds the process stood still.

    Args:
        path: of the file, or a descriptor of an empty one.
        contents: note which values are equal, too (hashes by a key that is thrown away).
        deadline_seconds: after so long the child is killed.
        progress: called with the number of objects walked, some twenty times a second; may raise to give up.
        dares: begin even where the tables may not fit, as most often they are smaller than feared. The child
            fails rather than take more than there is, and is the first to go if the kernel ends somebody.

    Raises:
        OutliveError: there is not enough memory or disk, or the child failed.

    """
    if isinstance(path, int):
        return _write(path, "memory", contents, deadline_seconds, progress, dares=dares)
    target = os.path.abspath(os.fspath(path))  # noqa: PTH100 - pathlib is not light
    part = f"{target}.{os.getpid()}.part"
    try:
        handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _cant(target, error.strerror or str(error)) from error
    try:
        _check_disk(handle, target)
        paused = _write(handle, target, contents, deadline_seconds, progress, dares=dares)
        os.rename(part, target)  # noqa: PTH104 - light
    except OSError as error:
        _remove(part)
        raise _cant(target, error.strerror or str(error)) from error
    except BaseException:
        _remove(part)
        raise
    finally:
        os.close(handle)
    return paused


def take_into_memory() -> int:
    """Take a snapshot into memory and return its descriptor, which the caller closes.

    Raises:
        OutliveError: as of `take`.

    """
    handle = os.memfd_create("outlive")
    try:
        take(handle)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _cant(target: str, why: str, hint: str = "") -> OutliveError:
    return OutliveError(f"can't write a snapshot to {target}", why, hint)


def _remove(part: str) -> None:
    try:
        os.unlink(part)  # noqa: PTH108 - light
    except OSError:  # it is gone already
        return


def needed_bytes() -> int:
    """Return what a file or tables may take: what is resident bounds the heap."""
    return int((proc.rss_bytes() or 0) * _FILE_SHARE)


def _check_disk(handle: int, target: str) -> None:
    system = os.fstatvfs(handle)
    free, needed = system.f_bavail * system.f_frsize, needed_bytes()
    if free < needed:
        why = f"it may take {needed // _MIB} MiB, and {free // _MIB} MiB are free there"
        raise _cant(target, why, "name another folder")


def room_bytes() -> int:
    """Return how much memory may be taken without trouble for anybody."""
    left = cgroup.of_this_process().left()
    return _available() if left is None else min(left, _available())


def _available() -> int:
    for line in proc.read("/proc/meminfo", 1 << 14).decode().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 1 << 62


def _write(  # noqa: PLR0913 - what take() takes
    handle: int,
    target: str,
    contents: bool,  # noqa: FBT001 - as in take
    deadline_seconds: float,
    progress: Callable[[int], None] | None,
    *,
    dares: bool,
) -> float:
    room = int(room_bytes() * _OF_THE_ROOM)
    needed = _DARING_MIN if dares else max(needed_bytes(), _LIMIT_MIN)
    if room < needed:
        why = f"its tables may take {needed // _MIB} MiB, and {room // _MIB} MiB can be had"
        raise _cant(target, why, "raise the memory limit, or wait for a smaller heap")
    patience = time.monotonic() + _PATIENCE_SECONDS
    while native.collecting() and time.monotonic() < patience:
        time.sleep(_FIRST_LOOK_SECONDS)
    key = int.from_bytes(os.urandom(8))
    seconds = max(1, int(deadline_seconds) + 1)
    rss = proc.rss_bytes() or 0
    try:
        child, paused_ns = native.snapshot(handle, room, seconds, contents, key, rss, _threads())
    except OSError as error:
        raise _cant(target, f"no child can be made: {error.strerror}") from error
    try:
        status = _await(child, handle, deadline_seconds, progress)
    except BaseException:
        _end(child)
        raise
    if status != 0:
        raise _failure(handle, target, status, room, deadline_seconds)
    return paused_ns / 1e9


def _threads() -> tuple[tuple[int, bytes], ...]:
    """Return the names that threading has for threads."""
    module = sys.modules.get("threading")
    known = dict(getattr(module, "_active", {}))
    return tuple(
        (ident, str(getattr(thread, "_name", "")).encode("utf-8", "replace").replace(b"\0", b"?"))
        for ident, thread in known.items()
        if isinstance(ident, int)
    )


def _await(
    child: int, handle: int, deadline_seconds: float, progress: Callable[[int], None] | None
) -> int | None:
    """Return the child's wait status, None if it had to be killed."""
    end = time.monotonic() + deadline_seconds
    pause = _FIRST_LOOK_SECONDS
    while True:
        try:
            pid, status = os.waitpid(child, os.WNOHANG | _WALL)
        except ChildProcessError:  # somebody waits for all children there are, whatever their kind
            pid, status = child, 0 if _told(handle, _STATE, 4) == 2 else 1  # noqa: PLR2004 - COMPLETE
        if pid == child:
            return status
        if time.monotonic() > end:
            _end(child)
            return None
        if progress is not None:
            progress(_told(handle, _OBJECTS, 8))
        time.sleep(pause)
        pause = min(pause * 1.5, _LAST_LOOK_SECONDS)


def _end(child: int) -> None:
    try:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, _WALL)
    except (ProcessLookupError, ChildProcessError):
        return


def _told(handle: int, offset: int, size: int) -> int:
    return int.from_bytes(os.pread(handle, size, _INFO_OFFSET + offset), "little")


def _failure(handle: int, target: str, status: int | None, room: int, seconds: float) -> OutliveError:
    import errno

    if status is None:
        return _cant(target, f"it was not done after {seconds:g} s", "give it more time")
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        return _cant(target, f"the child that walked the heap was ended by {name}; this process is unharmed")
    error = _told(handle, _ERROR, 4)
    if error == errno.ENOMEM:
        return _cant(target, f"its tables did not fit into {room // _MIB} MiB", "give it more memory")
    return _cant(target, os.strerror(error) if error else "the child failed")
