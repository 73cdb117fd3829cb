"""Views subscribe to a bus as they open, and do not unsubscribe as they close.

expect: leak
scope: view
rule: L15
holder: module __main__ → BUS → Bus.subscribers → View
per run: 40800
"""

import os
from collections.abc import Callable

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Bus:
    def __init__(self) -> None:
        self.subscribers: list[Callable[[str], None]] = []

    def subscribe(self, receiver: Callable[[str], None]) -> None:
        self.subscribers.append(receiver)


class View:
    def __init__(self) -> None:
        self.rows = [number * 1000 for number in range(1000, 2000)]  # made
        BUS.subscribe(self.on_change)

    def on_change(self, _topic: str) -> None:
        self.rows.clear()


BUS = Bus()

for _ in range(RUNS):
    with outlive.scope("view"):
        View()
