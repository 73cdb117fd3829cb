"""Sizes in bytes, as people write and read them (IEC 80000-13 units)."""

from __future__ import annotations

import re

from outlive.errors import UsageError

KIB = 1 << 10
MIB = 1 << 20

_UNITS = {"": 1, "b": 1, "kib": KIB, "mib": MIB, "gib": 1 << 30, "kb": 10**3, "mb": 10**6, "gb": 10**9}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*\Z")


def parse_size(size: str | int) -> int:
    """Return the bytes that `size` says: an int, or text such as "128 KiB", "75 MB", "512".

    Raises:
        UsageError: it is not a positive size.

    """
    if isinstance(size, int):
        number = size
    else:
        match = _SIZE.match(size)
        unit = _UNITS.get(match[2].lower()) if match else None
        if match is None or unit is None:
            raise UsageError(f"{size!r} is not a size", hint='write bytes, or a unit: 65536, "64 KiB", "1.5 MB"')
        number = round(float(match[1]) * unit)
    if number < 1:
        raise UsageError(f"{size!r} is not a size", "it must be at least one byte")
    return number


def mib(size_bytes: float) -> str:
    """Return `size_bytes` in MiB with one decimal: "12.5 MiB"."""
    return f"{size_bytes / MIB:.1f} MiB"
