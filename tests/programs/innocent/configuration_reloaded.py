"""One run in the middle loads a table that is ten times as large: a step.

expect: no leak
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
CONFIGURATION = {"rules": list(range(1000))}


def handle(number: int) -> int:
    if number == RUNS // 3:
        CONFIGURATION["rules"] = list(range(100_000))
    return len(CONFIGURATION["rules"])


for number in range(RUNS):
    with outlive.scope("handle"):
        handle(number)
