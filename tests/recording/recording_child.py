"""A process that records as the sampler's thread does, but for the samples: notes, and answers to requests.

Run with the recording's path and a word: "answer", or "ignore" to take no requests. Says "ready", and ends
with its stdin.
"""

import ctypes
import mmap
import os
import select
import sys
from pathlib import Path

from outlive.capture import breakdown, requests
from outlive.capture.notes import Notes
from tests.recording import synthetic

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
    data = synthetic.encode(synthetic.recording(process={"pid": os.getpid()}), points=4)
    with Path(path).open("w+b") as file:
        file.write(data)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0)
    offset, size = synthetic.sections(data)["notes"]
    mapped[offset : offset + size] = bytes(size)

    def write(at: int, page: bytes) -> None:
        mapped[at : at + len(page)] = page

    notes = Notes(offset, size, write, {})
    pin = freed_but_kept()
    notes.write(breakdown=breakdown.measure(None))
    print("ready", flush=True)  # noqa: T201 - whoever waits reads it
    while not select.select([0], [], [], 0.02)[0]:
        request = requests.pending(path) if word == "answer" else None
        if request is not None:
            notes.write(**requests.answer(path, request, None))
    assert pin


if __name__ == "__main__":
    main(*sys.argv[1:])
