"""What a process died of, as far as its recording and the machine still tell."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from outlive.capture import cgroup, proc
from outlive.model.size import mib
from outlive.recording.processes import is_here, is_live

if TYPE_CHECKING:
    from outlive.model.recording import Recording

Cause = Literal["running", "stopped", "exit", "signal", "oom", "killed", "reboot"]
Confidence = Literal["certain", "likely", "possible"]

_NEAR = 0.9  # of the limit: the last second of a leak may hold a tenth of it
_FAR = 0.5
_NO_LIMIT = 1 << 62
_KILLED = "killed without a word: SIGKILL (kill -9, a supervisor out of patience) or a crash of the system"


@dataclass(frozen=True, slots=True)
class Death:
    """The probable cause. `text` says it in words, `reasons` what speaks for it and against it.

    `status` is the exit status or the signal's number, None where the process left none. "killed" is whatever
    leaves no time for a word, the OOM killer not excluded.
    """

    cause: Cause
    confidence: Confidence
    text: str
    reasons: tuple[str, ...]
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the machine tells now. None: it can't.

    `oom_kills` is the count of the control group that the process was in, if it is still there;
    `memory_bytes` how much the machine has.
    """

    live: bool
    same_boot: bool | None
    oom_kills: int | None
    memory_bytes: int | None


def death(recording: Recording) -> Death:
    """Return what this process died of, by its recording and by this machine."""
    return judged(recording, evidence(recording))


def evidence(recording: Recording) -> Evidence:
    """Return what this machine tells of the process, now."""
    notes = recording.process.notes
    same_boot = notes["boot_id"] == proc.boot_id() if "boot_id" in notes else None
    # In another container the same path may be another group.
    oom_kills = _oom_kills(_cgroup(recording).get("path")) if is_here(recording) else None
    return Evidence(is_live(recording), same_boot, oom_kills, _memory_bytes() if same_boot else None)


def judged(recording: Recording, seen: Evidence) -> Death:
    """Return what the process died of, given the evidence. Never OOM without any."""
    process = recording.process
    if process.state == "stopped":
        return Death(
            "stopped", "certain", "outlive.stop() ended the recording; what came after is not known", ()
        )
    if process.state == "exited":
        return Death("exit", "certain", f"exit (status {process.status})", (), process.status)
    if process.state == "signalled":
        return Death("signal", "certain", _signal_name(process.status), (), process.status)
    if seen.live:
        return Death("running", "certain", "still running", ())
    silent = "it left no word: no exit, no signal that a process can see"
    near, memory = _memory(recording, seen)
    if seen.same_boot is False:
        elsewhere = "the machine has started since, or the recording is of another one"
        text = "killed without a word, by a restart of the machine or before it"
        return Death("reboot", "possible", text, (silent, elsewhere, memory))
    noted = _cgroup(recording).get("oom_kills")
    rose = seen.oom_kills - noted if seen.oom_kills is not None and isinstance(noted, int) else None
    return _killed(rose, near, (silent, _count(rose), memory))


def _killed(rose: int | None, near: float | None, reasons: tuple[str, ...]) -> Death:
    """Tell OOM kills from others, by how the count rose and how near the limit the process was."""
    if rose is None:
        if near is not None and near >= _NEAR:
            return Death("oom", "possible", "killed without a word: perhaps an OOM kill", reasons)
        return Death(
            "killed", "possible", f"{_KILLED}; nothing speaks for an OOM kill, nor rules it out", reasons
        )
    if rose <= 0:
        return Death("killed", "likely", _KILLED, reasons)
    if near is not None and near < _FAR:
        doubt = "so far from the limit, another process of the group may have been killed"
        return Death("oom", "possible", "killed without a word: perhaps an OOM kill", (*reasons, doubt))
    return Death("oom", "likely", "killed without a word: OOM kill", reasons)


def _count(rose: int | None) -> str:
    if rose is None:
        return "its control group's count of OOM kills is gone or was never known"
    kills = "1 OOM kill" if rose == 1 else f"{max(rose, 0) or 'no'} OOM kills"
    return f"its control group counts {kills} since it began"


def _memory(recording: Recording, seen: Evidence) -> tuple[float | None, str]:
    """Return how near its limit the process last was, as a ratio, and the figures in words."""
    point = next((point for point in reversed(recording.timeline) if point.rss is not None), None)
    if point is None or point.rss is None:
        return None, "its RSS is not known"
    rss = max(point.rss, point.rss_peak or 0)
    limit, name = limit_of(recording)[0], "its control group's limit"
    if limit is None:
        limit, name = seen.memory_bytes, "the machine's memory"
    if not limit:
        return None, f"RSS {mib(rss)} at the last point; no limit is known"
    return rss / limit, f"RSS {mib(rss)} at the last point, {rss / limit:.0%} of {name}, {mib(limit)}"


def limit_of(recording: Recording) -> tuple[int | None, int | None]:
    """Return the memory limit of the process's control group and what is charged to it; None: not known."""
    if recording.breakdown is not None and recording.breakdown.limit is not None:
        return recording.breakdown.limit, recording.breakdown.limit_usage
    limit = _cgroup(recording).get("limit")
    return (limit if isinstance(limit, int) and 0 < limit < _NO_LIMIT else None), None


def _cgroup(recording: Recording) -> dict[str, object]:
    said = recording.process.notes.get("cgroup")
    return said if isinstance(said, dict) else {}


def _oom_kills(folder: object) -> int | None:
    """Return the OOM kills that a control group counts now; None if no such group is there."""
    if not isinstance(folder, str) or not folder.startswith("/sys/fs/cgroup/") or ".." in folder:
        return None
    return cgroup.oom_kills(folder)


def _memory_bytes() -> int | None:
    for line in proc.read("/proc/meminfo").splitlines():
        if line.startswith(b"MemTotal:"):
            return int(line.split()[1]) * 1024
    return None


def _signal_name(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"
