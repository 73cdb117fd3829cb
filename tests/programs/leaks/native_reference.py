"""An extension that takes a reference and does not give it back.

expect: leak
scope: decode
rule: L21
holder: native reference
per run: 64200
"""

import ctypes
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


def decode() -> int:
    frame = [number / 7 for number in range(2000)]  # made
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(frame))
    return len(frame)


for _ in range(RUNS):
    with outlive.scope("decode"):
        decode()
