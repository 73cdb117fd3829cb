"""What the lines of a program did to memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outlive.model.finding import Finding
    from outlive.model.recording import Recording


@dataclass(frozen=True, slots=True)
class LineFigures:
    """One executed line. Bytes are exact; in use counts from where counting began.

    occurrences: how often it began to run.
    increment_bytes: net change made while it ran, callees included, summed over all occurrences.
    mem_bytes: the most the process had in use as it ended.
    peak_bytes: the most the process had in use while it ran.
    """

    line: int
    occurrences: int
    increment_bytes: int
    mem_bytes: int
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class FunctionFigures:
    """A profiled function that was called, with the lines that ran in order."""

    function: str
    file: str
    first_line: int
    last_line: int
    calls: int
    lines: tuple[LineFigures, ...]
    stale: bool  # the file changed on disk after its code was loaded
    is_body: bool = False  # the top level of a module or a class, which runs once, as it is imported


def merged(one: FunctionFigures, other: FunctionFigures) -> FunctionFigures:
    """Return the figures of one function whose code was loaded twice, from those of each."""
    lines = {row.line: row for row in one.lines}
    for row in other.lines:
        had = lines.get(row.line)
        lines[row.line] = (
            row
            if had is None
            else LineFigures(
                row.line,
                had.occurrences + row.occurrences,
                had.increment_bytes + row.increment_bytes,
                max(had.mem_bytes, row.mem_bytes),
                max(had.peak_bytes, row.peak_bytes),
            )
        )
    return replace(
        one,
        last_line=max(one.last_line, other.last_line),
        calls=one.calls + other.calls,
        lines=tuple(lines[line] for line in sorted(lines)),
        stale=one.stale or other.stale,
    )


@dataclass(frozen=True, slots=True)
class RunProfile:
    """A whole run of a program. `notes` say in words what the figures leave out.

    `recording` is what was sampled, and lies in `recording_file`; None where nothing was recorded.
    `findings` are the verdicts on it.
    """

    exit_code: int
    peak_python_bytes: int
    peak_rss_bytes: int
    seconds: float
    functions: tuple[FunctionFigures, ...]
    notes: tuple[str, ...]
    recording: Recording | None = None
    recording_file: str = ""
    base_rss_bytes: int = 0  # before the program began
    findings: tuple[Finding, ...] = ()
