"""Recent requests in a deque that was to have a maxlen.

expect: leak
scope: request
rule: L11
holder: module __main__ → RECENT → deque
per run: 10273
"""

import os
from collections import deque

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
RECENT: deque[bytes] = deque()

for number in range(RUNS):
    with outlive.scope("request"):
        RECENT.append(number.to_bytes(10_240))  # made
