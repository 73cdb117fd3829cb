"""The heap snapshots that a process's triggers have left: beside its recording, or where its notes say."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from outlive.model import heap_layout
from outlive.model.folders import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.model.recording import Recording


def of_recording(file: Path, recording: Recording) -> list[Path]:
    """Return the snapshots of the process that wrote `recording`, the last one first."""
    found = {}
    for place in dict.fromkeys(_places(file, recording)):
        taken = _taken(place, recording.process.pid)
        if taken >= recording.process.began:
            found[place] = taken
    return sorted(found, key=lambda place: found[place], reverse=True)


def _places(file: Path, recording: Recording) -> Iterator[Path]:
    said = recording.process.notes.get("triggers")
    noted = said.get("snapshot") if isinstance(said, dict) else None
    if isinstance(noted, str) and noted:
        yield file.parent / os.path.basename(noted)  # noqa: PTH119 - it may be no path at all
        yield Path(noted)
    with suppress(OSError):
        stem = file.name.removesuffix(SUFFIX)
        for path in file.parent.iterdir():
            if path.name.startswith(f"{stem}.") and path.suffix == ".heap":
                yield path


def _taken(place: Path, pid: int) -> float:
    """Return the Unix time of a whole snapshot of this process; -1 if it is none."""
    try:
        handle = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (OSError, ValueError):
        return -1.0
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return -1.0
        head = os.pread(handle, heap_layout.SECTIONS_OFFSET, 0)
    except OSError:
        return -1.0
    finally:
        os.close(handle)
    if len(head) < heap_layout.SECTIONS_OFFSET or not head.startswith(heap_layout.MAGIC):
        return -1.0
    whose, _, state, _, forked_ns, *_ = heap_layout.INFO.unpack_from(head, heap_layout.INFO_OFFSET)
    return forked_ns / 1e9 if (whose, state) == (pid, heap_layout.COMPLETE) else -1.0
