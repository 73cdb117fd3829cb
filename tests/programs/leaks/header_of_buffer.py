"""A memoryview of a few bytes keeps the whole packet.

expect: leak
scope: receive
rule: L23
holder: module __main__ → HEADERS → memoryview
per run: 100033
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
HEADERS: list[memoryview] = []


def receive(number: int) -> None:
    packet = number.to_bytes(100_000)  # made
    HEADERS.append(memoryview(packet)[-16:])


for number in range(RUNS):
    with outlive.scope("receive"):
        receive(number)
