"""Readers of a file format, asked for one header and then kept.

expect: leak
scope: inspect
rule: L10
holder: module __main__ → READERS → records → page
per run: 65593
"""

import os
from collections.abc import Iterator

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
READERS: list[Iterator[int]] = []


def records() -> Iterator[int]:
    page = bytearray(65_536)  # made
    yield len(page)
    yield from page


for _ in range(RUNS):
    with outlive.scope("inspect"):
        reader = records()
        next(reader)
        READERS.append(reader)
