"""Whether the process of a recording lives: a number alone says little, pids are given again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from outlive.capture import proc

if TYPE_CHECKING:
    from outlive.model.recording import Recording

_FRESH_SECONDS = 10


def is_live(recording: Recording) -> bool:
    """Return whether the recording goes on.

    A process of another container can't be looked up by its pid: it lives if its timeline does.
    """
    process, notes = recording.process, recording.process.notes
    if process.state != "running" or notes.get("boot_id", proc.boot_id()) != proc.boot_id():
        return False
    if is_here(recording):
        return notes.get("start_ticks") == _start_ticks(process.pid)
    # Clocks are set, forwards and back.
    return bool(recording.timeline) and abs(time.time() - recording.timeline[-1].time) < _FRESH_SECONDS


def is_here(recording: Recording) -> bool:
    """Return whether the pid is one among those that can be seen from here, now."""
    notes = recording.process.notes
    return (notes.get("boot_id"), notes.get("pid_namespace")) == (proc.boot_id(), proc.pid_namespace())


def _start_ticks(pid: int) -> int | None:
    """Return when a process began; None if there is none, or it only waits for its parent to take notice."""
    fields = proc.read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    # state is field 3, number of threads 20 (the first thread may end before others do), start 22
    if len(fields) < 20 or (fields[0] in (b"Z", b"X") and int(fields[17]) <= 1):  # noqa: PLR2004
        return None
    return int(fields[19])
