"""References that C code took and never gave back.

3 held by native reference: refcount 1 → 0 known
"""

import ctypes
import sys

import outlive


class Leaked:
    pass


for _ in range(3):
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(Leaked()))

outlive.snapshot(sys.argv[1])
