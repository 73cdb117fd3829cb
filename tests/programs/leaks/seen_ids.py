"""Ids of messages that were seen, kept for ever to drop duplicates.

expect: leak
scope: consume
rule: L04
holder: module __main__ → DEDUPLICATOR → Deduplicator.seen → set
per run: 11300
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Deduplicator:
    def __init__(self) -> None:
        self.seen: set[str] = set()

    def is_new(self, batch: int, message: int) -> bool:
        key = f"orders/eu-central-1/{batch:08}/message-{message:08}"  # made
        if key in self.seen:
            return False
        self.seen.add(key)
        return True


DEDUPLICATOR = Deduplicator()

for batch in range(RUNS):
    with outlive.scope("consume"):
        for message in range(120):
            DEDUPLICATOR.is_new(batch, message)
