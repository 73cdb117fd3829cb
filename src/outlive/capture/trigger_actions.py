"""What a trigger does: a snapshot, a copy of the recording, a line in the log, a webhook, a command.

Nothing of it may hold up the program: files are written in the thread that ticks, all that talks to others is
done by a process of its own (deputies.py).
"""

from __future__ import annotations

import os
import time

from outlive.capture import cgroup, notes, recording, snapshot
from outlive.capture.deputies import Deputy
from outlive.errors import OutliveError
from outlive.model import folders, layout
from outlive.model.size import mib

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable

    from outlive.capture.triggers import Rule

_HEAP, _COPY = ".heap", ".recording"
_KEPT = {_HEAP: 3, _COPY: 8}
_PART_SECONDS = 600
_DEADLINE_SECONDS = 120.0
_LOOK_SECONDS = 1.0
_COPY_ATTEMPTS = 3
_IN_MEMORY = {"tmpfs", "ramfs"}
_BOLD = {"log", "webhook"}  # what may be done though it can't be counted
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Event:
    """A trigger that was set off: which, when, at what figures. `files`: what was written, by kind."""

    def __init__(
        self, rule: Rule, value: float, rss: int | None, left: int | None, limit: int | None
    ) -> None:
        self.rule, self.time, self.value = rule, time.time(), value
        self.rss, self.left, self.limit = rss, left, limit
        self.files: dict[str, object] = {}

    def payload(self, path: str) -> dict[str, object]:
        """Return what others are told: names and sizes, nothing of what is in memory."""
        return {
            "schema": 1,
            "event": "trigger",
            "rule": self.rule.name,
            "metric": self.rule.metric,
            "scope": self.rule.scope,
            "value_bytes": round(self.value),
            "time": self.time,
            "pid": os.getpid(),
            "program": notes.program(),
            "host": os.uname().nodename,
            "rss_bytes": self.rss,
            "left_bytes": self.left,
            "limit_bytes": self.limit,
            "recording": path,
            **{kind: self.files.get(kind) for kind in ("snapshot", "report")},
        }

    def text(self) -> str:
        """Return a line about it."""
        at = (
            ""
            if self.rule.is_signal()
            else f" at {mib(self.value)}{'/h' if self.rule.metric == 'growth' else ''}"
        )
        rss = "" if self.rss is None or self.rule.metric == "rss" else f", RSS {mib(self.rss)}"
        files = "".join(f", {kind} {path}" for kind, path in self.files.items())
        return f"trigger {self.rule.condition}{at}{rss}{files}"


class Actions:
    """Carries out what triggers say, for the process that records to `path`."""

    def __init__(self, path: str, meanwhile: Callable[[], object]) -> None:
        self._path, self._meanwhile = path, meanwhile
        self._deputies: list[Deputy] = []

    def carry_out(self, event: Event, *, is_counted: bool) -> list[str]:
        """Do all that the event's rule says, in order; return what failed."""
        failures = []
        for kind, argument in event.rule.actions:
            if not is_counted and kind not in _BOLD:
                failures.append(f"{kind}: not done, as it can't be counted how often")
                continue
            try:
                if kind in {"snapshot", "report"}:
                    event.files[kind] = (self._snapshot if kind == "snapshot" else self._report)()
                elif kind == "log":
                    log(event.text())
                else:
                    self._deputies.append(Deputy(kind, argument, event.payload(self._path)))
            except OutliveError as error:
                failures.append(f"{kind}: {error}")
            except Exception as error:  # noqa: BLE001 - the next one may do
                why = error.strerror if isinstance(error, OSError) else ""
                failures.append(f"{kind}: {why or f'{type(error).__name__}: {error}'}")
        return failures

    def failures(self) -> list[str]:
        """Return what deputies say that has failed since the last call. Does not wait for any."""
        found = []
        for deputy in self._deputies[:]:
            answer = deputy.answer()
            if answer is not None:
                self._deputies.remove(deputy)
                if answer:
                    found.append(f"{deputy.kind}: {answer}")
        return found

    def close(self) -> None:
        """Ask deputies no more; they go on."""
        for deputy in self._deputies:
            deputy.forget()
        self._deputies.clear()

    def _snapshot(self) -> str:
        path, is_in_memory = self._place(_HEAP)
        if os.path.lexists(path):  # of another trigger, of this very second
            return path
        if is_in_memory and snapshot.room_bytes() < 3 * snapshot.needed_bytes():
            # The file would take as much of the limit as the tables.
            why = "there is no folder for it but in memory, and that is short"
            raise OutliveError(
                "can't write a snapshot", why, "have OUTLIVE_RECORDING name a folder on a disk"
            )
        looked = time.monotonic()

        def go_on(_objects: int) -> None:
            nonlocal looked
            if time.monotonic() - looked >= _LOOK_SECONDS:
                looked = time.monotonic()
                self._meanwhile()

        # Where an OOM kill would end all of us, or the file takes of the limit too, only what surely fits.
        dares = not is_in_memory and not cgroup.of_this_process().dies_whole()
        snapshot.take(path, deadline_seconds=_DEADLINE_SECONDS, progress=go_on, dares=dares)
        _prune(path, _HEAP)
        return path

    def _report(self) -> str:
        path, _ = self._place(_COPY)
        if os.path.lexists(path):
            return path
        source = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            size = os.fstat(source).st_size
            room = os.statvfs(os.path.dirname(path))  # noqa: PTH120 - pathlib is not light
            if room.f_bavail * room.f_frsize < 2 * size:
                raise OSError(28, "no space left for it")
            target = os.open(path, _NEW, 0o600)
            try:
                os.posix_fallocate(target, 0, size)
                for _ in range(_COPY_ATTEMPTS):  # stacks may give way to others meanwhile
                    before = os.pread(source, layout.HEADER_BYTES, 0)
                    _copy(source, target, size)
                    if _generation(before) == _generation(os.pread(source, layout.HEADER_BYTES, 0)):
                        break
            except BaseException:
                os.unlink(path)  # noqa: PTH108 - light
                raise
            finally:
                os.close(target)
        finally:
            os.close(source)
        _prune(path, _COPY)
        return path

    def _place(self, suffix: str) -> tuple[str, bool]:
        """Return a name for a new file, and whether that lies in memory, as a heap is not to."""
        folder, name = os.path.split(self._path)
        stem = name.removesuffix(folders.SUFFIX)
        file = f"{stem}.{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}{suffix}"
        is_in_memory = _is_in_memory(folder)
        if is_in_memory and suffix == _HEAP:
            for other in folders.recording_folders(os.geteuid()):
                try:
                    os.close(recording.open_folder(other, is_asked=False))
                except OSError:
                    continue
                if not _is_in_memory(other):
                    return f"{other}/{file}", False
        return f"{folder}/{file}", is_in_memory


def _copy(source: int, target: int, size: int) -> None:
    at = 0
    os.lseek(target, 0, os.SEEK_SET)
    while at < size and (sent := os.sendfile(target, source, at, size - at)):
        at += sent


def _generation(header: bytes) -> int:
    return int(layout.LIVE.unpack_from(header, layout.LIVE_OFFSET)[7])


def _prune(path: str, suffix: str) -> None:
    """Keep the newest files of our making only, and no parts that a kill has left."""
    folder = os.path.dirname(path)  # noqa: PTH120 - pathlib is not light
    found = []
    for entry in os.scandir(folder):
        stem, _, stamp = entry.name.partition(suffix)[0].rpartition(".")
        day, t, clock = stamp.partition("T")
        if suffix not in entry.name or not stem or not (t and day.isdecimal() and clock.isdecimal()):
            continue
        try:
            state = entry.stat(follow_symlinks=False)
            if state.st_uid != os.geteuid():
                continue
            if entry.name.endswith(suffix):
                found.append((state.st_mtime, entry.path))
            elif entry.name.endswith(".part") and time.time() - state.st_mtime > _PART_SECONDS:
                os.unlink(entry.path)  # noqa: PTH108 - light
        except OSError:  # another process was first
            continue
    for _, old in sorted(found, reverse=True)[_KEPT[suffix] :]:
        try:
            os.unlink(old)  # noqa: PTH108 - light
        except OSError:
            continue


def _is_in_memory(folder: str) -> bool:
    """Whether what is written to a folder takes memory of this process's control group."""
    device = os.stat(folder).st_dev  # noqa: PTH116 - light
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as lines:  # noqa: PTH123 - light
            for line in lines:
                place, _, source = line.partition(" - ")
                if place.split()[2] == wanted:
                    return source.split()[0] in _IN_MEMORY
    except (OSError, IndexError):
        return False
    return False


def log(text: str) -> None:
    """Warn as the logger "outlive", and leave no trace of this thread in `threading`."""
    import logging
    import threading
    from _thread import get_ident

    known = threading._active  # type: ignore[attr-defined] # noqa: SLF001 - as enumerate() sees it
    was_known = get_ident() in known
    try:
        logger = logging.getLogger("outlive")
        if logger.isEnabledFor(logging.WARNING):
            record = logger.makeRecord("outlive", logging.WARNING, "", 0, text, (), None)
            record.threadName = "outlive"
            logger.handle(record)
    finally:
        if not was_known:
            known.pop(get_ident(), None)
