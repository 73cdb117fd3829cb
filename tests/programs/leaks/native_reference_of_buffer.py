"""An extension that keeps a buffer it was lent: no object that the collector knows refers to it.

expect: leak
scope: decode
rule: L21
holder: native reference
per run: 80057
"""

import ctypes
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


def decode() -> int:
    frame = bytearray(80_000)  # made
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(frame))
    return len(frame)


for _ in range(RUNS):
    with outlive.scope("decode"):
        decode()
