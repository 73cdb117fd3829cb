"""How the memory of another process divides: what it measured just now, or noted before."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from outlive.capture import breakdown, mappings, proc, rss
from outlive.errors import OutliveError

if TYPE_CHECKING:
    from outlive.model.breakdown import Breakdown
    from outlive.model.recording import Recording

# What the division needs of what the process's allocators say (capture.breakdown.heaps).
_SAID = (
    "pymalloc_in_use",
    "pymalloc_free",
    "heaps_in_use",
    "heaps_free",
    "heaps_spilled",
    "mapped",
    "python_large",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A process's breakdown. `age_seconds`: by how much its allocators' figures are older than the others.

    0 if all are of one moment, None if the process says nothing of its allocators.
    `unknown`: in a sentence, why parts are not known and what to do about it; "" if all are.
    """

    breakdown: Breakdown
    age_seconds: float | None
    unknown: str


def look(pid: int, recording: Recording | None, *, measured: bool = False) -> Seen:
    """Return how the memory of process `pid` divides now.

    Args:
        pid: the process.
        recording: its own, if it has one.
        measured: whether what it notes was measured just now: then it is all taken from there.

    Raises:
        OutliveError: there is no such process, it has no memory, or it may not be looked at.

    """
    began = proc.start_ticks(pid)
    try:
        found = mappings.mappings(pid)
        area = rss.sum_areas(found, pid)
    except (FileNotFoundError, ProcessLookupError):
        found, area = [], {}
    except OSError as error:
        raise _forbidden(pid, error) from error
    if not began or began != proc.start_ticks(pid):
        raise OutliveError(f"there is no process {pid}", hint="outlive top lists those that record")
    if not area.get("rss"):
        raise OutliveError(f"process {pid} has no memory", "it has ended, or is one of the kernel's own")
    noted = recording.process.notes.get("breakdown") if recording is not None else None
    noted = noted if isinstance(noted, dict) else {}
    unknown = _unknown(pid, found, recording, noted)
    if measured and recording is not None and recording.breakdown is not None:
        # From here more of the groups that limit it may be in sight.
        limits = breakdown.limits(pid)
        whole = replace(recording.breakdown, limit=limits["limit"], limit_usage=limits["limit_usage"])
        return Seen(whole, 0.0, unknown)
    said = {name: _size(noted.get(name)) for name in _SAID}
    figures = breakdown.divide(area, said) | breakdown.limits(pid)
    then = noted.get("time")
    return Seen(
        breakdown.breakdown(figures),
        # Clocks are set back; and 0 says that all is of one moment.
        max(1.0, time.time() - then) if isinstance(then, int | float) else None,
        unknown,
    )


def _size(said: object) -> int | None:
    """Return a size from the notes, in which anything may stand."""
    return said if isinstance(said, int) and 0 <= said < 1 << 63 else None


def _unknown(
    pid: int, found: list[mappings.Mapping], recording: Recording | None, noted: dict[str, object]
) -> str:
    if noted.get("pymalloc_in_use") is not None and noted.get("heaps_in_use") is not None:
        return ""
    if not any(b"python" in os.path.basename(mapping.name) for mapping in found):  # noqa: PTH119 - bytes
        return (
            "This is no Python process, as far as can be seen: the parts of its heap only itself could tell."
        )
    if recording is None:
        return (
            "What pymalloc and malloc have in use and free only the process itself can tell: "
            f"by outlive.breakdown() in it, after outlive attach {pid}, "
            "or if it was started with: outlive run --sample PROGRAM"
        )
    if not noted:
        return "The process has not noted its allocators' figures yet: look again in some seconds."
    if noted.get("heaps_in_use") is None:
        return "Its malloc is not glibc's, and what that has in use and free can't be told."
    return (
        "Its Python does not use pymalloc (PYTHONMALLOC), or another tool has taken its place: "
        "what Python has in use is part of malloc's, or of the anonymous mappings."
    )


def _forbidden(pid: int, error: OSError) -> OutliveError:
    try:
        uid = Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return OutliveError(f"there is no process {pid}", hint="outlive top lists those that record")
    whose = f"it belongs to user {uid}" if uid != os.geteuid() else error.strerror or str(error)
    return OutliveError(f"can't look into process {pid}", whose, "ask as its user, or as root")
