"""numpy in place: one accumulator, and temporaries that die.

expect: no leak
"""

import os

import numpy as np

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
TOTAL = np.zeros(50_000)

for number in range(RUNS):
    with outlive.scope("add"):
        TOTAL += np.full(50_000, float(number)) * 0.5
