"""A queue for an audit log whose reader died.

expect: leak
scope: POST /orders
rule: L11
holder: module __main__ → AUDIT → Queue.queue → deque
per run: 30000
"""

import os
import queue

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
AUDIT: queue.Queue[str] = queue.Queue()


def order(number: int) -> None:
    for line in range(30):
        AUDIT.put(f"order {number}, line {line}: {'x' * 930}")  # made


for number in range(RUNS):
    with outlive.scope("POST /orders"):
        order(number)
