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
        ticks = proc.start_ticks(process.pid)
        return ticks != 0 and notes.get("start_ticks") == ticks
    # Clocks are set, forwards and back.
    return bool(recording.timeline) and abs(time.time() - recording.timeline[-1].time) < _FRESH_SECONDS


def is_here(recording: Recording) -> bool:
    """Return whether the pid is one among those that can be seen from here, now."""
    notes = recording.process.notes
    return (notes.get("boot_id"), notes.get("pid_namespace")) == (proc.boot_id(), proc.pid_namespace())
