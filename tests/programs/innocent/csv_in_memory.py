"""Reports written as CSV to memory, and sent.

expect: no leak
"""

import csv
import io
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


def report(day: int) -> str:
    page = io.StringIO()
    csv.writer(page).writerows((day, hour, day * hour) for hour in range(500))
    return page.getvalue()


for day in range(RUNS):
    with outlive.scope("report"):
        report(day)
