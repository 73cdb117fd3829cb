"""A histogram of prometheus-client with the user's id as a label.

expect: leak
scope: GET /users/{id}
rule: L14
holder: _metrics
per run: 11800
"""

import os

from prometheus_client import Histogram

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
LATENCY = Histogram("latency_seconds", "How long it took.", ["route", "user"])

for user in range(RUNS):
    with outlive.scope("GET /users/{id}"):
        for route in ("/users", "/users/orders", "/users/cart"):
            LATENCY.labels(route, str(user)).observe(0.01)  # made
