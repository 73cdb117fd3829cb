"""A recording's head in words: how its process fares, what it holds, how far the figures go."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outlive.model.size import mib
from outlive.recording.death import death, limit_of
from outlive.report import program_text

if TYPE_CHECKING:
    from pathlib import Path

    from outlive.model.estimate import Estimate
    from outlive.model.recording import Recording

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_SILENT_SECONDS = 10


def age(seconds: float | None) -> str:
    """Return a duration in one unit, for columns: "42 s", "12 min", "3.2 h", "4.1 d"; "" for None."""
    if seconds is None:
        return ""
    for size, unit, digits in ((_DAY, "d", 1), (_HOUR, "h", 1), (_MINUTE, "min", 0)):
        if seconds >= size:
            return f"{seconds / size:.{digits}f} {unit}"
    return f"{seconds:.0f} s"


def round_span(seconds: float) -> str:
    """Return a duration without a second unit that is 0: "20 min"."""
    return re.sub(r" 0 \w+$|\.0(?= )", "", program_text.duration(seconds))


def bare(size_bytes: float) -> str:
    """Return MiB without the unit, for columns that name it."""
    return mib(size_bytes).removesuffix(" MiB")


def interval(estimate: Estimate) -> str:
    """Return the 95 % interval in bare MiB: 10.1 to 15.3, with a dash."""
    return f"{bare(estimate.low)}\N{EN DASH}{bare(estimate.high)}"


def signed(size_bytes: float) -> str:
    """Return a change in bare MiB: "+12.5"; "0.0" without a sign."""
    size = bare(size_bytes)
    return size if size.startswith("-") or size == bare(0) else f"+{size}"


def state(recording: Recording, *, live: bool, now: float) -> str:
    """Return how the process fares, in a word or two."""
    if not live:
        return "stopped" if recording.process.state == "stopped" else "ended"
    silent = now - recording.timeline[-1].time if recording.timeline else 0
    return f"silent for {program_text.duration(silent)}" if silent > _SILENT_SECONDS else "running"


def ending(recording: Recording, file: Path) -> str:
    """Return what became of a process, and what tells more."""
    return f"{death(recording).text}; its last picture stays here. More: outlive postmortem {file}"


def memory(recording: Recording, in_use: Estimate) -> list[str]:
    """Return what the process holds: RSS, what sampling saw, and how far the limit is."""
    rss = recording.timeline[-1].rss if recording.timeline else None
    facts = [f"RSS {mib(rss)}"] if rss is not None else []
    facts.append(f"in use {mib(in_use.estimate)} ({interval(in_use)})")
    limit, usage = limit_of(recording)
    used = usage if usage is not None else rss
    if limit is not None and used is not None:
        facts.append(f"{mib(max(0, limit - used))} left of {mib(limit)}")
    return facts


def sampling(recording: Recording) -> list[str]:
    """Return how the figures came about, and what they lack."""
    return [
        program_text.interval(recording),
        f"{len(recording.samples):,} alive",
        *program_text.shortcomings(recording),
    ]
