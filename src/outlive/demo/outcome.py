"""What one export job did, gathered from its profile, from what it left, and from its file read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of one job. Sizes in bytes."""

    peak_rss_bytes: int
    peak_python_bytes: int
    base_rss_bytes: int
    rss_after_bytes: int
    rss_after_trim_bytes: int | None
    python_in_use_after_bytes: int
    rows_alive_after: int
    seconds: float
    rows_expected: int
    rows_found: int
    rows_wrong: int
    cells_checked: int
    cells_wrong: int
    cells_extra: int
    header_wrong: bool
    first_wrong: dict[str, Any] | None
    """`row`, `expected` and `found` of the first row that is not what the database says."""

    @property
    def is_exact(self) -> bool:
        """Whether the file says exactly what the database says."""
        return self.first_wrong is None

    @property
    def rise_bytes(self) -> int:
        """How far RSS rose above what it was before the job."""
        return self.peak_rss_bytes - self.base_rss_bytes


def read_outcome(profile: Path, aftermath: Path, check: Path) -> Outcome:
    """Put together what the job's three reports say."""
    run, left, cells = (json.loads(file.read_text(encoding="utf-8")) for file in (profile, aftermath, check))
    return Outcome(
        peak_rss_bytes=left["peak_rss_bytes"],
        peak_python_bytes=run["peak_python_bytes"],
        base_rss_bytes=left["base_rss_bytes"],
        rss_after_bytes=left["rss_bytes"],
        rss_after_trim_bytes=left["trimmed_rss_bytes"],
        python_in_use_after_bytes=left["python_in_use_bytes"],
        rows_alive_after=left["rows_alive"],
        seconds=run["seconds"],
        rows_expected=cells["rows_expected"],
        rows_found=cells["rows_found"],
        rows_wrong=cells["rows_wrong"],
        cells_checked=cells["cells_checked"],
        cells_wrong=cells["cells_wrong"],
        cells_extra=cells["cells_extra"],
        header_wrong=cells["header_wrong"],
        first_wrong=cells["first_wrong"],
    )


def saving(buggy: Outcome, streaming: Outcome) -> float:
    """Return the share of the buggy job's peak RSS, whole process, that the streaming job does without."""
    return 1 - streaming.peak_rss_bytes / buggy.peak_rss_bytes
