"""The document's export loop over rows in memory: `export.py ROWS RUNS plain|outlive|memory_profiler`."""

import importlib
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from side_by_side.children import hand_over
from side_by_side.timing import best_cpu_seconds

from examples.leaky_export.seed import TENANT_ID, activity_rows


@dataclass(slots=True)
class Activity:
    """A row as the export gets it: its JSON, 1 to 10 KB of text, is parsed."""

    timestamp: datetime
    action: str
    details: Any


def activities(rows: int) -> list[Activity]:
    """Return that many rows of the worked example's data."""
    return [
        Activity(datetime.fromisoformat(timestamp), action, json.loads(details))
        for tenant, _user, timestamp, action, details in activity_rows(rows)
        if tenant == TENANT_ID
    ]


def export(all_activities: list[Activity], output_path: Path) -> None:
    """Do what the document's job does once it has its rows."""
    csv_data = []
    csv_data.append(["timestamp", "action", "details"])

    for activity in all_activities:
        csv_data.append(  # noqa: PERF401 - the document's way of writing
            [
                activity.timestamp.isoformat(),
                activity.action,
                json.dumps(activity.details),
            ]
        )

    csv_content = "\n".join([",".join(row) for row in csv_data])

    with output_path.open("w", encoding="utf-8") as f:
        f.write(csv_content)


def profiled(function: Callable[..., Any], tool: str) -> Callable[..., Any]:
    """Return `function` under the `profile` of that module, which is imported now, or plain."""
    if tool == "plain":
        return function
    under: Callable[..., Any] = importlib.import_module(tool).profile(function)
    return under


def main() -> None:
    """Time the loop alone."""
    rows, runs, tool = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    run = profiled(export, tool)  # before the rows are made, as a program's decorators are
    data = activities(rows)
    with tempfile.TemporaryDirectory() as folder:
        seconds = best_cpu_seconds(partial(run, data, Path(folder) / "export.csv"), runs)
    hand_over(cpu_seconds=seconds, units=rows)


if __name__ == "__main__":
    main()
