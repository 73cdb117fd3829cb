"""Objects enter themselves into a dict on their class.

expect: leak
scope: open
rule: L19
holder: module __main__ → Document → open → Document
per run: 100049
"""

import os
from typing import ClassVar

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Document:
    open: ClassVar[dict[int, "Document"]] = {}

    def __init__(self, number: int) -> None:
        self.text = chr(65 + number % 26) * 100_000  # made
        self.open[number] = self


for number in range(RUNS):
    with outlive.scope("open"):
        Document(number)
