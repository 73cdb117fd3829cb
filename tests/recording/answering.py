"""What a process that records does beside the samples: it writes notes and answers requests."""

import mmap
import os
import select
from pathlib import Path

from outlive.capture import requests
from outlive.capture.notes import Notes
from tests.recording import synthetic


def begin(path: str) -> Notes:
    """Make a recording of this process, and return its notes, with nothing written yet."""
    data = synthetic.encode(synthetic.recording(process={"pid": os.getpid()}), points=4)
    with Path(path).open("w+b") as file:
        file.write(data)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0)
    offset, size = synthetic.sections(data)["notes"]
    mapped[offset : offset + size] = bytes(size)

    def write(at: int, page: bytes) -> None:
        mapped[at : at + len(page)] = page

    return Notes(offset, size, write, {})


def serve(path: str, notes: Notes, *, ignores: bool = False) -> None:
    """Say "ready", and take up requests until stdin ends; or `ignores` them."""
    print("ready", flush=True)  # noqa: T201 - whoever waits reads it
    while not select.select([0], [], [], 0.02)[0]:
        request = None if ignores else requests.pending(path)
        if request is not None:
            notes.write(**requests.answer(path, request, None))
