"""A large import leaves a few scattered survivors: memory is free, and the system does not get it.

expect: allocator retention
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
INDEX: list[bytes] = []


def load() -> None:
    rows = [number.to_bytes(2000) for number in range(60_000)]
    INDEX.extend(rows[::2000])
    INDEX.append(rows[-1])


with outlive.scope("load"):
    load()
for number in range(RUNS):
    with outlive.scope("lookup"):
        INDEX[number % len(INDEX)].count(b"x")
