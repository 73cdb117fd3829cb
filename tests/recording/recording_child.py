"""A process that records as the sampler's thread does, but for the samples: notes, and answers to requests.

Run with the recording's path and a word: "answer", or "ignore" to take no requests. Says "ready", and ends
with its stdin.
"""

import ctypes
import sys

from outlive.capture import breakdown
from tests.recording import answering

SIZE = 50 << 20


def freed_but_kept() -> int:
    """Leave `SIZE` bytes free in malloc's heap, under a block that keeps them there."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    blocks = (ctypes.c_void_p * (SIZE // 1008))()
    for i in range(len(blocks)):
        block = libc.malloc(1000)
        ctypes.memset(block, 1, 1000)
        blocks[i] = block
    pin = libc.malloc(2000)
    for block in blocks:
        libc.free(block)
    return int(pin)


def main(path: str, word: str) -> None:
    notes = answering.begin(path)
    pin = freed_but_kept()
    notes.write(breakdown=breakdown.measure(None))
    answering.serve(path, notes, ignores=word == "ignore")
    assert pin


if __name__ == "__main__":
    main(*sys.argv[1:])
