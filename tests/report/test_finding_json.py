"""Findings as JSON: the keys that are documented, and plain numbers."""

from __future__ import annotations

import json
from dataclasses import fields

from outlive.model.finding import Finding
from outlive.report.finding_json import finding_document, finding_json
from tests.report.test_finding_text import BREAKDOWN, LEAK, PLAIN, SUBJECT


def test_the_document() -> None:
    document = json.loads(json.dumps(finding_json([LEAK], BREAKDOWN, SUBJECT)))
    assert (document["schema"], document["pid"]) == (1, 77)
    assert document["breakdown"]["rss"] == BREAKDOWN.rss
    assert document["findings"] == [
        {
            "verdict": "leak",
            "confidence": "certain",
            "scope": "export",
            "runs": 100,
            "per_run_bytes": {"estimate": 28626125, "low": 26633830, "high": 30618419},
            "certain_bytes": 27158118,
            "in_use_bytes": 2866911642,
            "site": {
                "file": "app/jobs/export_job.py",
                "line": 15,
                "function": "export",
                "source": "    activities = (await session.scalars(q)).all()",
            },
            "type": "app.models.UserActivity",
            "objects_per_run": 100000.0,
            "holder": LEAK.holder,
            "rule": "L02",
            "reasons": ["a session is opened per run and never closed"],
            "cure": "async with AsyncSession(engine) as session: …",
            "by_run_bytes": [],
        }
    ]


def test_every_field_of_a_finding_is_there() -> None:
    found = finding_document(PLAIN)
    assert sorted(found) == sorted(field.name for field in fields(Finding))
    assert found["per_run_bytes"] is None
    assert found["site"] is None


def test_without_findings_and_breakdown() -> None:
    document = finding_json([], None, SUBJECT)
    assert document["findings"] == []
    assert document["breakdown"] is None
