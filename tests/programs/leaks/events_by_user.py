"""Events by user in a defaultdict; users come and never go.

expect: leak
scope: POST /events
rule: L04
holder: module __main__ → STATISTICS
per run: 104250
"""

import os
from collections import defaultdict

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
STATISTICS: defaultdict[str, list[bytes]] = defaultdict(list)


def record(user: str) -> None:
    for number in range(100):
        STATISTICS[user].append(number.to_bytes(1000))  # made


for number in range(RUNS):
    with outlive.scope("POST /events"):
        record(f"user-{number}")
