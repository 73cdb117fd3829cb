"""What a job left behind in its process, measured there."""

import ctypes
import gc
from dataclasses import dataclass
from pathlib import Path

import outlive
from examples.leaky_export.models import UserActivity


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Sizes in bytes. RSS: before the job, at its highest, after it, and after ``malloc_trim``."""

    base_rss_bytes: int
    peak_rss_bytes: int
    rss_bytes: int
    trimmed_rss_bytes: int | None
    """``None`` where the C library has no ``malloc_trim``."""
    python_in_use_bytes: int
    """Allocated since the job began and alive after it: outlive's estimate."""
    rows_alive: int
    """UserActivity objects, before any garbage collection."""


class Watch:
    """Made before the job, asked after it."""

    def __init__(self) -> None:
        outlive.start()
        self._base_rss_bytes = _status("VmRSS")

    def aftermath(self) -> Aftermath:
        """Measure what is left; this gives memory back to the system, so ask once."""
        rows_alive = survivors()
        python_in_use_bytes = sum(site.in_use.estimate for site in outlive.sites(limit=None))
        outlive.stop()
        rss_bytes = _status("VmRSS")
        return Aftermath(
            base_rss_bytes=self._base_rss_bytes,
            peak_rss_bytes=_status("VmHWM"),
            rss_bytes=rss_bytes,
            trimmed_rss_bytes=_status("VmRSS") if _trim() else None,
            python_in_use_bytes=round(python_in_use_bytes),
            rows_alive=rows_alive,
        )


def survivors() -> int:
    """Count the UserActivity objects that are alive now."""
    return sum(type(each) is UserActivity for each in gc.get_objects())


def _status(field: str) -> int:
    """Return a size in ``/proc/self/status``, in bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise LookupError(f"/proc/self/status has no {field}")


def _trim() -> bool:
    """Let the C library return the pages it keeps for later; false where it can't."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except AttributeError:
        return False
    trim(0)
    return True
