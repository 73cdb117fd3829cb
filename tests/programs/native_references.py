"""A list with two references that C code never gave back.

3 held by native reference: refcount 2 → 0 known → list[3]
"""

import ctypes
import sys

import outlive


class Leaked:
    pass


def plant() -> None:
    rows = [Leaked() for _ in range(3)]
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(rows))
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(rows))


plant()

outlive.snapshot(sys.argv[1])
