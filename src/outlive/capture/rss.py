"""Resident set size, from the kernel's own account of a process."""

from __future__ import annotations

from pathlib import Path

from outlive.model.size import KIB


def peak_rss_bytes() -> int:
    """Return this process's peak resident set: VmHWM, which unlike getrusage's is not inherited over exec."""
    return _status("self", "VmHWM")


def rss_bytes(pid: int) -> int:
    """Return the resident set of a process now.

    Raises:
        OSError: there is no such process.

    """
    return _status(pid, "VmRSS")


def _status(pid: int | str, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) * KIB
    return 0  # a zombie has no memory any more
