"""A C library that is asked for a handle a run and is never told to free it.

expect: native growth
"""

import ctypes
import os
import time

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = ctypes.c_void_p
SIZE = 30_000_000 // RUNS  # in all, what is worth a word


def transcode() -> None:
    handle = LIBC.malloc(ctypes.c_size_t(SIZE))
    ctypes.memset(handle, 1, SIZE)
    time.sleep(600 / RUNS)  # it takes its time: malloc is looked at now and then


for _ in range(RUNS):
    with outlive.scope("transcode"):
        transcode()
