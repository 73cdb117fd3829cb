"""A run as JSON, schema 1: `outlive run --json`. Sizes are bytes, times seconds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from outlive.report.lines import source_of

if TYPE_CHECKING:
    from outlive.model.lines import RunProfile


def run_json(run: RunProfile) -> str:
    """Return the run as a JSON document. `source` is "" where the line's text can't be known."""
    return json.dumps(
        {
            "schema": 1,
            "exit_code": run.exit_code,
            "peak_python_bytes": run.peak_python_bytes,
            "peak_rss_bytes": run.peak_rss_bytes,
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
        },
        indent=2,
    )
