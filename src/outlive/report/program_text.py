"""Who was recorded, in words: program, process, state, times, and what the recording lacks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from outlive.model.printable import printable
from outlive.model.size import KIB, MIB, mib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.model.recording import Recording

_CALENDAR_MAX = 253_402_214_400  # the year 9999; damaged files may say any
REVERSED = "the first is the later one; swap them to see growth"

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def program(recording: Recording) -> str:
    """Return the program's name as the process noted it."""
    name = recording.process.notes.get("program")
    return printable(name) if isinstance(name, str) and name else f"process {recording.process.pid}"


def last_seen(recording: Recording) -> float:
    """Return the Unix time of the last thing that the recording tells of."""
    began, ended = recording.process.began, recording.process.ended
    newest = (
        recording.timeline[-1].uptime if recording.timeline else 0.0
    )  # clocks are set back; uptime is not
    born = max((block.born for block in recording.samples), default=0.0)
    return max(began, ended or 0.0, began + newest, began + born)


def is_later(one: Recording, other: Recording) -> bool:
    """Return whether `one` tells of a later time; processes that ran side by side have no order."""
    if (one.process.pid, one.process.began) == (other.process.pid, other.process.began):
        return last_seen(one) > last_seen(other)
    return one.process.began > last_seen(other)


def identity(recording: Recording) -> str:
    """Return "service.py, pid 4321, forked from 4300, Python 3.12.1"."""
    process = recording.process
    parts = [program(recording), f"pid {process.pid}"]
    if process.parent_pid:
        parts.append(f"forked from {process.parent_pid}")
    if isinstance(version := process.notes.get("python"), str):
        parts.append(f"Python {printable(version)}")
    return ", ".join(parts)


def times(recording: Recording) -> str:
    """Return "recorded for 2 h 3 min, since 2026-11-23 09:00:12"."""
    began = recording.process.began
    return f"recorded for {duration(last_seen(recording) - began)}, since {clock(began)}"


def clock(unix_time: float) -> str:
    """Return a moment as the calendar and clock here show it: "2026-11-23 09:00:12"."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(min(unix_time, _CALENDAR_MAX)))


def duration(seconds: float) -> str:
    """Return seconds in two units at most: "2 h 3 min"."""
    whole = round(seconds)
    for size, unit, smaller, smaller_unit in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller} {smaller_unit}"
    return f"{seconds:.1f} s"


def interval(recording: Recording) -> str:
    """Return how densely was sampled, and why more thinly than asked for."""
    asked, now = recording.interval_bytes, recording.current_interval_bytes
    if now == asked:
        return f"one sample in {size(asked)} on average"
    why = recording.process.notes.get("raised")
    because = f" ({printable(why)})" if isinstance(why, str) and why else ""
    return f"one sample in {size(now)} on average, raised from {size(asked)}{because}"


def size(size_bytes: int) -> str:
    """Return a round size as people write it: "128 KiB"."""
    for unit, name in ((MIB, "MiB"), (KIB, "KiB")):
        if size_bytes % unit == 0:
            return f"{size_bytes // unit} {name}"
    return f"{size_bytes} bytes"


def shortcomings(recording: Recording) -> Iterator[str]:
    """Say in words what the recording lacks."""
    if recording.dropped:
        yield f"{recording.dropped:,} samples were lost to a full table: what is in use is more than shown"
    if recording.torn:
        yield f"{recording.torn:,} entries were being written or are damaged, and left out"
    unhooked = recording.process.notes.get("unhooked")
    if isinstance(unhooked, (int, float)) and 0 <= unhooked < _CALENDAR_MAX:
        until = clock(unhooked)
        yield f"another tool had taken outlive's hooks away until {until}: what was made before is left out"
    if recording.forgotten_bytes:
        size = mib(recording.forgotten_bytes)
        yield f"some stacks gave way to newer ones: {size} allocated, and freed since, are on no line"
