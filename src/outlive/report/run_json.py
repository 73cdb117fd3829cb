"""A run as JSON, schema 1: `outlive run --json`. Sizes are bytes, times seconds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from outlive.diagnose.comparison import outcome
from outlive.report.comparison_json import scopes_json
from outlive.report.finding_json import finding_document
from outlive.report.lines import source_of
from outlive.report.recording_json import recording_json

if TYPE_CHECKING:
    from outlive.model.lines import RunProfile

_SAMPLED = ("interval_bytes", "in_use_bytes", "sites", "dropped", "breakdown")


def run_json(run: RunProfile) -> str:
    """Return the run as a JSON document. `source` is "" where the line's text can't be known."""
    document: dict[str, object] = {
        "schema": 1,
        "exit_code": run.exit_code,
        "peak_python_bytes": run.peak_python_bytes,
        "peak_rss_bytes": run.peak_rss_bytes,
        "base_rss_bytes": run.base_rss_bytes,
        "seconds": round(run.seconds, 6),
        "functions": [
            {
                "function": function.function,
                "file": function.file,
                "calls": function.calls,
                "lines": [
                    {
                        "line": row.line,
                        "occurrences": row.occurrences,
                        "mem_bytes": row.mem_bytes,
                        "increment_bytes": row.increment_bytes,
                        "peak_bytes": row.peak_bytes,
                        "source": source_of(function, row.line),
                    }
                    for row in function.lines
                ],
            }
            for function in run.functions
        ],
        "notes": list(run.notes),
    }
    if run.recording is not None:
        sampled = recording_json(run.recording)
        document |= {key: sampled[key] for key in _SAMPLED} | {
            "findings": [finding_document(finding) for finding in run.findings],
            "scopes": scopes_json(outcome(run.recording).scopes.values()),
            "recording": run.recording_file,
        }
    return json.dumps(document, indent=2)
