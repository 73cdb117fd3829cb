"""A trace in a thread-local, which each request adds to and none resets.

expect: leak
scope: request
rule: L16
holder: LOCAL → spans
per run: 11100
"""

import os
import threading

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
LOCAL = threading.local()
LOCAL.spans = []


def request(number: int) -> None:
    for step in range(60):
        LOCAL.spans.append({"request": number, "step": step})  # made


for number in range(RUNS):
    with outlive.scope("request"):
        request(number)
