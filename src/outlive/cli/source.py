"""The recording that a command is asked about: a file, or a process that records."""

from __future__ import annotations

from pathlib import Path


def find(named: str) -> Path:
    """Return the file that an argument names: a path, or the number of a process.

    Raises:
        OutliveError: there is no such process, or it does not record.

    """
    if not (named.isascii() and named.isdecimal()) or Path(named).exists():
        return Path(named)
    from outlive.recording.folder import of_process

    return of_process(int(named))
