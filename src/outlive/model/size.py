"""Sizes in bytes, as people write and read them (IEC 80000-13 units)."""

from __future__ import annotations

from outlive.errors import UsageError

KIB = 1 << 10
MIB = 1 << 20

_UNITS = {"": 1, "b": 1, "kib": KIB, "mib": MIB, "gib": 1 << 30, "kb": 10**3, "mb": 10**6, "gb": 10**9}


def parse_size(size: str | int, least: int = 1) -> int:
    """Return the bytes that `size` says: an int, or text such as "128 KiB", "75 MB", "512".

    Raises:
        UsageError: it is no size, or less than `least`.

    """
    try:
        number = size if type(size) is int else _parse_text(size)  # type: ignore[arg-type]
    except (AttributeError, KeyError, ValueError, OverflowError):
        hint = 'write bytes, or a unit: 65536, "64 KiB", "1.5 MB"'
        raise UsageError(f"{size!r} is not a size", hint=hint) from None
    if number < least:
        raise UsageError(
            f"{size!r} is not a size", f"it must be {'at least one byte' if least else '0 or more'}"
        )
    return number


def _parse_text(text: str) -> int:
    number = text.strip().rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    unit = text.strip()[len(number) :]
    if not number.strip().replace(".", "", 1).isdecimal():  # float() would take "1e9", "1_0" and "nan" too
        raise ValueError(text)
    return round(float(number) * _UNITS[unit.lower()])


def mib(size_bytes: float) -> str:
    """Return `size_bytes` in MiB with one decimal: "12.5 MiB"."""
    return f"{round(size_bytes / MIB, 1) + 0.0:.1f} MiB"  # + 0.0: no -0.0


def readable(size_bytes: float) -> str:
    """Return `size_bytes` in the unit that suits it: "512 B", "12.5 KiB", "3.1 MiB", "1.2 GiB"."""
    if abs(size_bytes) < KIB:
        return f"{round(size_bytes)} B"
    for unit, name in ((KIB, "KiB"), (MIB, "MiB")):
        if round(abs(size_bytes) / unit, 1) < KIB:
            return f"{size_bytes / unit:.1f} {name}"
    return f"{size_bytes / (1 << 30):.1f} GiB"
