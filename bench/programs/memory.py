"""What the system says of a process's memory, in bytes."""

import re
from pathlib import Path

KIB = 1024


def rss_bytes() -> int:
    """Return this process's resident set."""
    return _status("VmRSS")


def peak_bytes() -> int:
    """Return the largest it was."""
    return _status("VmHWM")


def _status(name: str) -> int:
    (kib,) = re.findall(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(kib) * KIB
