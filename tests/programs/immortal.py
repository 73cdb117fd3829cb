"""An object that was made immortal.

Needs python 3.12
1 held by immortal: Leaked
"""

import ctypes
import sys

import outlive


class Leaked:
    pass


def plant() -> None:
    row = Leaked()
    ctypes.c_uint32.from_address(id(row)).value = 0xFFFF_FFFF  # its reference count


plant()

outlive.snapshot(sys.argv[1])
