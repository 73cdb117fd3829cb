"""Why a test fails: what grows by how much, as a picture, and who made and holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.capture.gauges import MEMORY, SIZES
from outlive.model.printable import printable
from outlive.model.size import readable
from outlive.report.finding_text import block
from outlive.report.finding_words import spread
from outlive.report.sparkline import bars

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from outlive.model.estimate import Estimate
    from outlive.model.growth import GaugeGrowth, Growth

_FINDINGS = 3
_MATTERS = 0.01  # of what grows


def growth_text(growth: Growth, name: str) -> str:
    """Return what a test that grows fails with: the verdict, figures, the curve, and the findings."""
    return "\n".join(_lines(growth, name))


def reason(growth: Growth) -> str:
    """Return why it is no failure, or not known, in one line."""
    return f"{growth.verdict}: " + "; ".join(growth.reasons)


def _lines(growth: Growth, name: str) -> Iterator[str]:
    figures = ", ".join(gauge_text(each) for each in growth.gauges)
    limit = f"the limit is {readable(growth.limit.size_bytes)}"
    runs = f"{growth.runs:,} runs in {growth.seconds:.1f} s"
    yield f"{growth.verdict.upper()}   {printable(name)}   {figures} · {runs} · {limit}"
    if any(growth.curve):
        yield f"  memory  {bars(growth.curve)} {readable(growth.curve[-1])} more after {growth.runs:,} runs"
    for why in growth.reasons:
        yield f"  because {printable(why)}"
    for known, size in growth.ignored.items():
        if size >= _MATTERS * max((each.per_run.estimate for each in growth.gauges), default=0.0):
            yield f"  ignored {printable(known)}: {readable(size)} a run"
    for finding in growth.findings[:_FINDINGS]:
        yield ""
        yield from block(finding)
    if (more := len(growth.findings) - _FINDINGS) > 0:
        yield f"\nand {more} more findings"
    if not growth.findings and any(each.gauge in SIZES for each in growth.gauges):
        yield "  made    by nothing a run took from Python or malloc: a library's mapping, or another thread"


def gauge_text(grown: GaugeGrowth) -> str:
    """Return "10.1 KiB ± 0.2 a run", or "1 file descriptor a run"."""
    per_run = grown.per_run
    if grown.gauge in SIZES:
        return f"{_size(per_run)} {'' if grown.gauge == MEMORY else 'of ' + grown.gauge + ' '}a run"
    count = f"{per_run.estimate:.3g}"
    return f"{count} {grown.gauge.removesuffix('s') if count == '1' else grown.gauge} a run"


def _size(per_run: Estimate) -> str:
    return spread(per_run) if per_run.estimate > 0 else readable(per_run.estimate)


def peak_text(name: str, size_bytes: int, limit_bytes: int, made: Sequence[tuple[str, float]]) -> str:
    """Return what a test fails with whose high-water mark is too high.

    `made`: lines that allocated most while it ran, with their bytes.
    """
    peak = f"{readable(size_bytes)} over its start, Python's and native"
    lines = [f"PEAK   {printable(name)}   {peak} · the limit is {readable(limit_bytes)}"]
    for number, (line, size) in enumerate(made):
        label = "made" if number == 0 else "    "
        lines.append(f"  {label}    {printable(line)}   allocated {readable(size)} in all")
    return "\n".join(lines)
