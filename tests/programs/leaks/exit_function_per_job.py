"""Each job registers an exit function with what it is to clean up.

expect: leak
scope: job
rule: L18
holder: atexit
per run: 25057
"""

import atexit
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


def clean_up(scratch: bytearray) -> None:
    assert scratch


def job() -> None:
    scratch = bytearray(25_000)  # made
    atexit.register(clean_up, scratch)


for _ in range(RUNS):
    with outlive.scope("job"):
        job()
