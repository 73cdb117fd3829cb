"""The line table: memory_profiler's columns, and the peak within each line."""

from __future__ import annotations

import linecache
from contextlib import suppress
from typing import TYPE_CHECKING

from outlive.capture import lines as capture
from outlive.model.size import mib
from outlive.report.files import write_stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.model.lines import FunctionFigures, LineFigures

_ROW = "{:>6} {:>12} {:>12} {:>12} {:>12}   {}"
_HEADER = _ROW.format("Line #", "Mem usage", "Increment", "Peak", "Occurrences", "Line Contents")
_LEGEND = (
    "Mem usage: most the process had in use as the line ended; Peak: while it ran;",
    "Increment: net change by the line, summed over its occurrences. All count Python's memory",
    "from where counting began. What other threads allocate meanwhile shows in Mem usage only.",
)


def line_tables(functions: tuple[FunctionFigures, ...], notes: tuple[str, ...]) -> str:
    """Return the tables of all functions as text, with what they leave out in words.

    Import-time code, the top level of modules and classes, is left out where all its increments show as 0.0.
    """
    shown = tuple(f for f in functions if not f.is_body or any(_visible(row) for row in f.lines))
    quiet = len(functions) - len(shown)
    if quiet:
        bodies = "1 module or class body" if quiet == 1 else f"{quiet} module and class bodies"
        notes = (*notes, f"{bodies} that kept no memory left out (--json has all)")
    return "\n".join((*_tables(shown), *(f"Note: {note}" for note in notes), ""))


def _visible(row: LineFigures) -> bool:
    return mib(row.increment_bytes) != mib(0)


def _tables(functions: tuple[FunctionFigures, ...]) -> Iterator[str]:
    for function in functions:
        calls = "1 call" if function.calls == 1 else f"{function.calls} calls"
        yield f"Filename: {function.file}"
        yield f"Function: {function.function} ({calls})"
        yield ""
        yield _HEADER
        yield "=" * len(_HEADER)
        yield from _rows(function)
        yield ""
    if functions:
        yield from _LEGEND


def _rows(function: FunctionFigures) -> Iterator[str]:
    by_line = {row.line: row for row in function.lines}
    if function.stale:
        yield "(the file changed on disk since it was loaded: line contents are not shown)"
    elif not linecache.getlines(function.file):
        yield "(no source: line contents can't be shown)"
    else:
        for line in range(function.first_line, function.last_line + 1):
            yield _row(line, by_line.get(line), linecache.getline(function.file, line).rstrip())
        return
    for row in function.lines:
        yield _row(row.line, row, "")


def _row(line: int, figures: LineFigures | None, source: str) -> str:
    if figures is None:
        return _ROW.format(line, "", "", "", "", source).rstrip()
    return _ROW.format(
        line,
        mib(figures.mem_bytes),
        mib(figures.increment_bytes),
        mib(figures.peak_bytes),
        figures.occurrences,
        source,
    ).rstrip()


def source_of(function: FunctionFigures, line: int) -> str:
    """Return a line's source, stripped; "" if it can't be known."""
    return "" if function.stale else linecache.getline(function.file, line).strip()


def print_at_exit() -> None:
    """Print the tables of a plain `python script.py` as it exits. A child process prints nothing."""
    capture.stop_counting()
    if not capture.is_child():
        with suppress(OSError):  # the program closed its stdout: nobody reads it
            write_stream("stdout", line_tables(capture.figures(), capture.notes()))
