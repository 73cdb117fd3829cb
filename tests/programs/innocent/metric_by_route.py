"""A histogram of prometheus-client with labels of few values.

expect: no leak
"""

import os

from prometheus_client import Histogram

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
LATENCY = Histogram("latency_seconds", "How long it took.", ["route", "status"])

for number in range(RUNS):
    with outlive.scope("request"):
        LATENCY.labels(f"/route/{number % 8}", str(200 + number % 3)).observe(0.01)
