"""The demo's closing words: two jobs side by side, and what the figures mean."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from outlive.demo.outcome import saving
from outlive.model.size import MIB, mib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.demo.outcome import Outcome

_WIDTH = 100
_CELLS_SHOWN = 6
_CELL_WIDTH = 64

# Below these, a difference is as likely caches filled on first use as the job.
_LEAST_RATIO = 2
_LEAST_DIFFERENCE_BYTES = 10 * MIB
_LEAST_SHARE_GIVEN_BACK = 0.1
_LEAST_GIVEN_BACK_BYTES = MIB
_ENOUGH_ROWS = 5_000


def tell(buggy: Outcome, streaming: Outcome) -> str:
    """Return the comparison, the first corrupt row, and the verdict on the buggy job in plain words."""
    parts = [
        "\n".join(_comparison(buggy, streaming)),
        f"Saving: {saving(buggy, streaming):.1%} of the peak RSS.",
        "\n".join(_corrupt_row(buggy)),
        _verdict(buggy, streaming),
        _why_rss_stays(buggy),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _comparison(buggy: Outcome, streaming: Outcome) -> Iterator[str]:
    yield f"{'':24}{'buggy job':>20}{'streaming job':>20}"
    yield "=" * 64
    for name, left, right in (
        ("peak RSS", mib(buggy.peak_rss_bytes), mib(streaming.peak_rss_bytes)),
        ("RSS before the job", mib(buggy.base_rss_bytes), mib(streaming.base_rss_bytes)),
        ("peak above that", mib(buggy.rise_bytes), mib(streaming.rise_bytes)),
        ("peak, Python's memory", mib(buggy.peak_python_bytes), mib(streaming.peak_python_bytes)),
        ("run time", f"{buggy.seconds:.1f} s", f"{streaming.seconds:.1f} s"),
        ("rows in the database", f"{buggy.rows_expected:,}", f"{streaming.rows_expected:,}"),
        ("rows in the file", f"{buggy.rows_found:,}", f"{streaming.rows_found:,}"),
        ("wrong rows", *(f"{each.rows_wrong:,} of {each.rows_expected:,}" for each in (buggy, streaming))),
        ("cells checked", f"{buggy.cells_checked:,}", f"{streaming.cells_checked:,}"),
        ("wrong cells", f"{buggy.cells_wrong:,}", f"{streaming.cells_wrong:,}"),
        ("cells too many", f"{buggy.cells_extra:,}", f"{streaming.cells_extra:,}"),
    ):
        yield f"{name:24}{left:>20}{right:>20}"


def _corrupt_row(buggy: Outcome) -> Iterator[str]:
    wrong = buggy.first_wrong
    if wrong is None:
        return
    yield "The buggy job's file is corrupt: nothing quotes the commas and newlines."
    yield f"Row {wrong['row']} of the file (1 is the header) ought to be"
    yield from _cells(wrong["expected"])
    yield "and reads"
    yield from _cells(wrong["found"])


def _cells(cells: list[str]) -> Iterator[str]:
    for number, cell in enumerate(cells[:_CELLS_SHOWN], start=1):
        text = repr(cell)
        yield f"  {number}  {text if len(text) <= _CELL_WIDTH else text[: _CELL_WIDTH - 1] + '…'}"
    if len(cells) > _CELLS_SHOWN:
        yield f"     and {len(cells) - _CELLS_SHOWN} more cells"


def _verdict(buggy: Outcome, streaming: Outcome) -> str:
    measured = (
        f"When it returned, its session still open and nothing collected, {buggy.rows_alive_after:,} of"
        f" its UserActivity objects were alive, and {mib(buggy.python_in_use_after_bytes)} of what it"
        f" allocated were in use (outlive's estimate), of {mib(buggy.peak_python_bytes)} at its peak."
    )
    if buggy.rows_alive_after:
        return _fill(f"Rows outlived the buggy job: that is a leak. {measured}")
    if not _stands_out(buggy, streaming):
        more = max(_ENOUGH_ROWS, 10 * buggy.rows_expected)
        close = _fill(
            "The buggy job does not leak; whether its peak is bloated can't be told at this size, where the"
            f" two jobs are too close: RSS rose by {mib(buggy.rise_bytes)} in the buggy one and by"
            f" {mib(streaming.rise_bytes)} in the streaming one. {measured}"
        )
        return f"{close}\nTry more rows: outlive demo --rows {more}"
    return _fill(
        f"The buggy job does not leak; its trouble is peak bloat. {measured} The rows died with the job,"
        " but until then each lived several times over, and all of them at once. The cure is to stream."
    )


def _stands_out(buggy: Outcome, streaming: Outcome) -> bool:
    """Tell whether the buggy job's peak is above the other's by more than chance makes it."""
    difference = buggy.rise_bytes - streaming.rise_bytes
    return buggy.rise_bytes >= _LEAST_RATIO * streaming.rise_bytes and difference >= _LEAST_DIFFERENCE_BYTES


def _why_rss_stays(buggy: Outcome) -> str:
    """Explain the RSS after the job by what malloc_trim gave back."""
    levels = f"{mib(buggy.base_rss_bytes)} before the job, {mib(buggy.rss_after_bytes)} after it."
    if buggy.rss_after_trim_bytes is None:
        return _fill(
            f"The buggy job's RSS: {levels} How much of that is freed memory kept for the next request was"
            " not measured: this C library can't be asked to give it back."
        )
    given_back = max(0, buggy.rss_after_bytes - buggy.rss_after_trim_bytes)
    rise = buggy.rss_after_bytes - buggy.base_rss_bytes
    if given_back < max(_LEAST_GIVEN_BACK_BYTES, _LEAST_SHARE_GIVEN_BACK * rise):
        return _fill(
            f"The buggy job's RSS: {levels} malloc_trim(0) gave {mib(given_back)} back to the system: too"
            " little to call it allocator retention."
        )
    part = "mostly" if given_back > rise / 2 else "in part"
    return _fill(
        f"Why RSS stays up: {levels} That is {part} allocator retention: freed memory that the C library"
        " keeps for the next request."
        f" malloc_trim(0) gave {mib(given_back)} of it back to the system at once, which leaves"
        f" {mib(buggy.rss_after_trim_bytes)}: code and caches loaded on first use, outlive's own tables,"
        " and pages that the allocators can't give back because something small still lies in them."
    )


def _fill(text: str) -> str:
    return textwrap.fill(text, _WIDTH)
