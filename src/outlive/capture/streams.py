"""Whose the standard streams are: by the time of a report, a descriptor's number may be another file's."""

from __future__ import annotations

import os
import sys

_at_start: dict[int, os.stat_result] = {}


def remember() -> None:
    """Note which files the descriptors of stdout and stderr are now; the first call counts."""
    for descriptor in (1, 2):
        try:
            _at_start.setdefault(descriptor, os.fstat(descriptor))
        except OSError:  # closed from the start
            continue


def is_still(descriptor: int) -> bool:
    """Whether a descriptor is the file it was; of one that is no standard stream's we know no other."""
    then = _at_start.get(descriptor)
    return descriptor not in (1, 2) or (then is not None and os.path.samestat(os.fstat(descriptor), then))


def say(text: str) -> None:
    """Write a line of outlive's to stderr, if the program left one."""
    try:
        sys.stderr.write(f"outlive: {text}\n")
        sys.stderr.flush()
    except Exception:  # noqa: BLE001 - it may have put anything there
        return
