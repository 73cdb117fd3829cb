"""Findings as JSON, schema 1; docs/reference/cli.md documents the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.report.breakdown import breakdown_document
from outlive.report.recording_json import estimate_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outlive.model.breakdown import Breakdown
    from outlive.model.finding import Finding, Place
    from outlive.report.breakdown import Subject


def finding_json(
    findings: Sequence[Finding], breakdown: Breakdown | None, subject: Subject
) -> dict[str, object]:
    """Return findings and where the memory goes as a document for `json.dumps`."""
    return {**breakdown_document(breakdown, subject), "findings": [finding_document(one) for one in findings]}


def finding_document(finding: Finding) -> dict[str, object]:
    """Return one finding as a document for `json.dumps`."""
    per_run = finding.per_run_bytes
    return {
        "verdict": finding.verdict,
        "confidence": finding.confidence,
        "scope": finding.scope,
        "runs": finding.runs,
        "per_run_bytes": None if per_run is None else estimate_json(per_run),
        "certain_bytes": round(finding.certain_bytes),
        "in_use_bytes": round(finding.in_use_bytes),
        "site": None if finding.site is None else _place(finding.site),
        "type": finding.type,
        "objects_per_run": round(finding.objects_per_run, 2),
        "holder": finding.holder,
        "rule": finding.rule,
        "reasons": list(finding.reasons),
        "cure": finding.cure,
        "by_run_bytes": [round(size) for size in finding.by_run_bytes],
    }


def _place(site: Place) -> dict[str, object]:
    return {"file": site.file, "line": site.line, "function": site.function, "source": site.source}
