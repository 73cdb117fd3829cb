"""A list of all that was ever reported, in small dicts.

expect: leak
scope: report
rule: L04
holder: module __main__ → HISTORY
per run: 12600
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
HISTORY: list[dict[str, object]] = []


def report(day: int) -> int:
    for hour in range(60):
        row: dict[str, object] = {"day": day, "hour": hour, "visits": day * hour}  # made
        HISTORY.append(row)
    return len(HISTORY)


for day in range(RUNS):
    with outlive.scope("report"):
        report(day)
