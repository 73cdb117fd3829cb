"""Errors collected for a summary; their tracebacks hold the frames, the frames the rows.

expect: leak
scope: import
rule: L07
holder: module __main__ → ERRORS → ValueError → traceback → load → rows
per run: 40800
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
ERRORS: list[Exception] = []


def load(file: int) -> None:
    rows = [file * 1000 + line for line in range(1000)]  # made
    raise ValueError(f"file {file}: line {len(rows)} is cut short")


for file in range(1, RUNS + 1):
    with outlive.scope("import"):
        try:
            load(file)
        except ValueError as error:
            ERRORS.append(error)
