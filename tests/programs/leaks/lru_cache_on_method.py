"""lru_cache on a method: the cache's keys hold each report.

expect: leak
scope: report
rule: L05
holder: module __main__ → Report → total → lru_cache → Report.rows
per run: 40700
"""

import os
from functools import lru_cache

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Report:
    def __init__(self, month: int) -> None:
        self.rows = [month * 1000 + number for number in range(1000)]  # made

    @lru_cache(maxsize=None)  # noqa: UP033
    def total(self, currency: str) -> int:
        return sum(self.rows) * len(currency)


for month in range(RUNS):
    with outlive.scope("report"):
        Report(month).total("EUR")
