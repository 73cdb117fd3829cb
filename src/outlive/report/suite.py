"""Tests by peak, by what they leave behind, by time: for a terminal, as Markdown, as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from outlive.model.finding import LEAKS
from outlive.model.printable import printable
from outlive.model.size import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class Row:
    """A test: the most it had in use over its start, and what was left after it.

    None for what nobody measured. `verdict` if it was repeated.
    """

    test: str
    seconds: float
    peak_bytes: float | None
    left_bytes: float | None
    verdict: str = ""
    per_run_bytes: float | None = None


def text(rows: Sequence[Row], shown: int) -> Iterator[str]:
    """Give the lines of the tables for a terminal, so many tests each."""
    if leaks := leaking(rows):
        yield f"{len(leaks)} of {len(rows)} tests leak:"
        yield from (f"  {_size(row.per_run_bytes):>10} a run   {printable(row.test)}" for row in leaks)
        yield ""
    elif any(row.verdict for row in rows):
        yield "no test leaks"
        yield ""
    measured = _by_peak(rows)
    if not measured:
        return
    yield f"{'peak':>10}  {'left':>10}  {'seconds':>8}   test"
    for row in measured[:shown]:
        yield (
            f"{_size(row.peak_bytes):>10}  {_size(row.left_bytes):>10}  {row.seconds:>8.2f}   "
            f"{printable(row.test)}"
        )
    if (more := len(measured) - shown) > 0:
        yield f"and {more} more with less; -v shows all"


def markdown(rows: Sequence[Row], shown: int) -> str:
    """Return the tables as GitHub shows them."""
    lines = ["### Memory of the tests", ""]
    lines += [f"- **leaks** {_size(row.per_run_bytes)} a run: `{_code(row.test)}`" for row in leaking(rows)]
    lines += ["", "| test | peak | left | seconds |", "|---|---:|---:|---:|"]
    lines += [
        f"| `{_code(row.test)}` | {_size(row.peak_bytes)} | {_size(row.left_bytes)} | {row.seconds:.2f} |"
        for row in _by_peak(rows)[:shown]
    ]
    return "\n".join(lines) + "\n"


def as_json(rows: Sequence[Row]) -> dict[str, object]:
    """Return {"schema": 1, "tests": [...]}: bytes, seconds, and a verdict where the test was repeated."""
    return {"schema": 1, "tests": [asdict(row) for row in _by_peak(rows)]}


def leaking(rows: Sequence[Row]) -> list[Row]:
    """Return the tests that leak, most first."""
    return sorted((row for row in rows if row.verdict in LEAKS), key=lambda row: -(row.per_run_bytes or 0.0))


def _by_peak(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: -(row.peak_bytes or 0.0))


def _size(size_bytes: float | None) -> str:
    return "-" if size_bytes is None else readable(size_bytes)


def _code(name: str) -> str:
    return printable(name).replace("`", "'").replace("|", "\\|")
