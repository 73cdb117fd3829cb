"""Buffers are taken from a pool and put back; it makes a new one when all are in use.

expect: no leak
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
FREE: list[bytearray] = []


def transfer(streams: int) -> None:
    taken = [FREE.pop() if FREE else bytearray(65_536) for _ in range(streams)]
    FREE.extend(taken)


for number in range(RUNS):
    with outlive.scope("transfer"):
        transfer(1 + number * 7 % 10)
