"""Generators that are left early, and closed.

expect: no leak
"""

import os
from collections.abc import Generator
from contextlib import closing

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


def records() -> Generator[int]:
    page = bytearray(80_000)
    yield len(page)
    yield from page


for _ in range(RUNS):
    with outlive.scope("inspect"), closing(records()) as reader:
        next(reader)
