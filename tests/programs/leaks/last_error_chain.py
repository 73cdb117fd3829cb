"""A console that sets sys.last_value, as the interactive one does, to errors raised from the one before.

expect: leak
scope: command
rule: L22
holder: last_value
per run: 30057
"""

import os
import sys

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


def command(line: str) -> None:
    history = bytearray(30_000)  # made
    raise LookupError(f"{line}: no such command, {len(history)} known") from getattr(sys, "last_value", None)


for number in range(RUNS):
    with outlive.scope("command"):
        try:
            command(f"run {number}")
        except LookupError as error:
            sys.last_value = error
