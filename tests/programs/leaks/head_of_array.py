"""The first rows of a numpy array keep the whole of it.

expect: leak
scope: preview
rule: L23
holder: module __main__ → PREVIEWS → ndarray
per run: 200000
"""

import os

import numpy as np

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
PREVIEWS: list[np.ndarray] = []


def preview(number: int) -> None:
    table = np.full((5000, 5), float(number))  # made
    PREVIEWS.append(table[:5])


for number in range(RUNS):
    with outlive.scope("preview"):
        preview(number)
