"""An error kept in a local of the frame that its traceback leads to, with the collector's thresholds at 0.

expect: cycle garbage
scope: import
per run: 50057
"""

import gc
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
gc.set_threshold(0)


def read(number: int) -> str:
    raised = None
    page = bytearray(50_000)  # made
    try:
        page[number + len(page)] = 1
    except IndexError as error:
        raised = error
    return str(raised)


for number in range(RUNS):
    with outlive.scope("import"):
        read(number)
