"""Findings as one page that needs no network, in light and in dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.heap.words import ARROW
from outlive.model.printable import printable
from outlive.model.size import mib
from outlive.report import finding_words as words
from outlive.report.breakdown import breakdown_text
from outlive.report.page import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outlive.model.breakdown import Breakdown
    from outlive.model.finding import Finding
    from outlive.report.breakdown import Subject


def finding_html(
    findings: Sequence[Finding],
    breakdown: Breakdown | None,
    subject: Subject,
    looked_at: str = words.LOOKED_AT,
) -> str:
    """Return the page; arguments are as of `finding_text`."""
    urgent, harmless, unknown = words.in_order(findings)
    return page(
        "finding.html",
        title=printable(subject.name),
        subtitle="What outlives its run" + (f" · RSS {mib(breakdown.rss)}" if breakdown is not None else ""),
        urgent=[_shown(finding) for finding in urgent],
        lists=[
            (title, [_shown(finding) for finding in listed])
            for title, listed in (("Not a leak", harmless), ("Not known yet", unknown))
            if listed
        ],
        nothing="" if findings else words.nothing(printable(looked_at)),
        breakdown=breakdown_text(breakdown, subject) if breakdown is not None else "",
    )


def _shown(finding: Finding) -> dict[str, object]:
    place, source, what = words.made(finding)
    return {
        "verdict": finding.verdict,
        "scope": words.subject(finding),
        "figures": words.figures(finding),
        "place": place,
        "file": printable(finding.site.file) if finding.site is not None else "",
        "source": source,
        "what": what,
        "holder": printable(finding.holder).split(ARROW) if finding.holder else [],
        "runs": words.by_run(finding),
        "reasons": words.reasons(finding),
        "cure": printable(finding.cure),
        "open": finding.verdict in words.OPEN,
        "rule": printable(finding.rule),
    }
