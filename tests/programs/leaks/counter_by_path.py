"""Counters of prometheus-client by raw path instead of route.

expect: leak
scope: request
rule: L14
holder: _metrics
per run: 11900
"""

import os

from prometheus_client import Counter

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
REQUESTS = Counter("requests", "How many.", ["path"])


def count(path: str) -> None:
    REQUESTS.labels(path=path).inc()  # made


for number in range(RUNS):
    with outlive.scope("request"):
        for page in range(20):
            count(f"/orders/{number}/pages/{page}")
