"""Finished exports are cached by their number, and none is ever dropped.

expect: leak
scope: export
rule: L04
holder: module __main__ → CACHE
per run: 20057
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
CACHE: dict[int, bytearray] = {}


def export(number: int) -> bytearray:
    body = bytearray(20_000)  # made
    CACHE[number] = body
    return body


for number in range(RUNS):
    with outlive.scope("export"):
        export(number)
