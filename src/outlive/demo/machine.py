"""Whether this machine has the disk space and the memory that the demo is about to use."""

from __future__ import annotations

import shutil
from pathlib import Path

from outlive.demo.leaks import ROWS as LEAKING_ROWS
from outlive.errors import OutliveError
from outlive.model.size import KIB, MIB, mib

# Measured, rounded up. At 100,000 rows: the database and one CSV file at a time; the buggy job at its peak.
DISK_BYTES_PER_ROW = 12 * KIB
MEMORY_BYTES_PER_ROW = 32 * KIB
_BASE_BYTES = 128 * MIB
# 100 files of one leak; one leak at its peak, and the snapshot of its heap.
LEAKS_DISK_BYTES = 256 * MIB
LEAKS_MEMORY_BYTES = 768 * MIB
_ROUND_ROWS = 1_000


def check_machine(rows: int, directory: Path) -> None:
    """Make sure that a demo of `rows` rows with its files in `directory` fits.

    Raises:
        OutliveError: it doesn't; names a number of rows that does.

    """
    disk = DISK_BYTES_PER_ROW
    memory = MEMORY_BYTES_PER_ROW
    leaks_memory = LEAKS_MEMORY_BYTES
    if lies_in_memory(directory, Path("/proc/self/mounts").read_text(encoding="utf-8")):
        memory += disk
        leaks_memory += LEAKS_DISK_BYTES
    free = shutil.disk_usage(directory).free
    _check("disk space", rows, disk, LEAKS_DISK_BYTES, free=free, where=f"in {directory}")
    _check("memory", rows, memory, leaks_memory, free=available_memory_bytes(), where="available")


def _check(what: str, rows: int, per_row: int, leaks: int, *, free: int, where: str) -> None:  # noqa: PLR0913
    needed = _BASE_BYTES + rows * per_row
    if rows >= LEAKING_ROWS:
        needed = max(needed, leaks)
    if needed <= free:
        return
    fits = max(0, free - _BASE_BYTES) // per_row
    if free < leaks:
        fits = min(fits, LEAKING_ROWS - 1)
    fits = fits // _ROUND_ROWS * _ROUND_ROWS or fits
    hint = f"type: outlive demo --rows {fits}" if fits else f"free some {what} first"
    raise OutliveError(f"{rows:,} rows need {mib(needed)} of {what}", f"there are {mib(free)} {where}", hint)


def available_memory_bytes(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return what a new process can use: what the system has left, or its control group (v2) if less."""
    fields = (proc / "meminfo").read_text(encoding="ascii").splitlines()
    available = next(int(line.split()[1]) * KIB for line in fields if line.startswith("MemAvailable:"))
    own = next(
        (line[3:] for line in (proc / "self/cgroup").read_text().splitlines() if line.startswith("0::")), "/"
    )
    group = cgroups / own.strip("/")
    for each in (group, *group.parents):
        if not each.is_relative_to(cgroups):
            break
        available = min(available, _left_in_group(each, available))
    return available


def _left_in_group(group: Path, no_limit: int) -> int:
    try:
        limit = (group / "memory.max").read_text().strip()
        if limit == "max":
            return no_limit
        used = int((group / "memory.current").read_text())
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
    except OSError:  # the root group has no limit, nor has any where another kind of control group is mounted
        return no_limit
    return max(0, int(limit) - used + int(statistics.get("inactive_file", 0)))  # the page cache gives way


def lies_in_memory(directory: Path, mounts: str) -> bool:
    """Tell whether a directory's files are kept in memory, by the text of /proc/mounts."""
    kinds: dict[Path, str] = {}
    for line in mounts.splitlines():
        _device, point, kind, *_rest = line.split()
        kinds[Path(point)] = kind  # a later mount hides an earlier one
    resolved = directory.resolve()
    nearest = next((each for each in (resolved, *resolved.parents) if each in kinds), None)
    return nearest is not None and kinds[nearest] in {"tmpfs", "ramfs"}
