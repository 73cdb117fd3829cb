"""A process that records and answers requests, with a stand-in for what writes snapshots.

Run with the recording's path and what the stand-in does: "write" a small heap, a "slow" one, "refuse",
"break", or go on until it is "cancelled". Says "ready", and ends with its stdin.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from outlive.errors import OutliveError
from outlive.model import heap_layout as layout
from tests.heap.synthetic import Heap
from tests.recording import answering


def heap() -> Heap:
    made = Heap()
    rows = made.sequence(made.add("app.UserActivity", size=72) for _ in range(3))
    made.module("app.cache", CACHE=made.mapping({"u42": made.add("app.Export", named={"rows": rows})}))
    return made


def stand_in(what: str) -> ModuleType:
    def take(path: str, *, contents: bool, progress: Callable[[int], None]) -> None:
        if what == "refuse":
            raise OutliveError("can't take a snapshot", "there is no room", "make some")
        if what == "break":
            raise ZeroDivisionError("the stand-in broke")
        part = Path(f"{path}.{os.getpid()}.part")
        head = bytearray(layout.HEADER_BYTES)
        layout.INFO.pack_into(head, layout.INFO_OFFSET, 1, 0, layout.WALKING, 0, 0, 0, 0, 1_234_567, 0, 0)
        part.write_bytes(head)
        try:
            for _ in range(150 if what == "slow" else 0):
                progress(7)
                time.sleep(0.01)
            while what == "cancelled":
                progress(7)
                time.sleep(0.01)
            made = heap()
            if contents:
                made.contents = dict.fromkeys((made.text("again"), made.text("again")), 5)
            made.write(part)
            part.rename(path)
        finally:
            part.unlink(missing_ok=True)

    module = ModuleType("outlive.capture.snapshot")
    module.__dict__["take"] = take
    return module


def main(path: str, what: str) -> None:
    sys.modules["outlive.capture.snapshot"] = stand_in(what)
    notes = answering.begin(path)
    notes.write()
    answering.serve(path, notes)


if __name__ == "__main__":
    main(*sys.argv[1:])
