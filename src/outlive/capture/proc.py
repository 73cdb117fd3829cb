"""What the kernel says of a process, in short files: microseconds each, and no buffers of Python's."""

from __future__ import annotations

import os

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def read(path: str, most: int = 4096) -> bytes:
    """Return the beginning of a small file; b"" if it can't be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError):  # no name of a file at all: whoever wrote it may mean harm
        return b""
    try:
        return os.read(handle, most)
    except OSError:
        return b""
    finally:
        os.close(handle)


def start_ticks(pid: int | str) -> int:
    """Return when a process began, in clock ticks since boot; 0 without one, or for its parent to reap."""
    fields = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    # As proc(5) counts them, field 3 is the state, 20 the number of threads (the first may end before others
    # do), 22 the start.
    if len(fields) < 20 or (fields[0] in (b"Z", b"X") and int(fields[17]) <= 1):  # noqa: PLR2004
        return 0
    return int(fields[19])


def boot_id() -> str:
    """Return the number of this boot of the machine."""
    return read("/proc/sys/kernel/random/boot_id").decode("ascii").strip()


def pid_namespace() -> int:
    """Return the inode of this process's pid namespace: within it, a pid names one process at a time."""
    try:
        return os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116 - pathlib is not light
    except OSError:
        return 0


def rss_bytes() -> int | None:
    """Return this process's resident set."""
    pages = read("/proc/self/statm").split()
    return int(pages[1]) * _PAGE_BYTES if pages else None


def uss_bytes() -> int | None:
    """Return what would be free if this process ended. The kernel walks all its pages: ~1 ms per GB."""
    text = read("/proc/self/smaps_rollup")
    sizes = [int(line.split()[1]) for line in text.splitlines() if line.startswith(b"Private_")]
    return sum(sizes) * 1024 if sizes else None


def threads() -> int | None:
    """Return how many threads the kernel counts in this process."""
    try:
        return os.stat("/proc/self/task").st_nlink - 2  # noqa: PTH116 - a folder each; "." and ".."
    except OSError:
        return None
