"""A process's own memory under a sampler: `resident.py idle|busy SECONDS SAMPLER`.

Idle, it waits; busy, it holds 100,000 objects and makes and drops others all the time.
"""

import re
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from side_by_side.children import hand_over

from programs.samplers import SAMPLERS

KIB = 1024
HELD, PASSING = 100_000, 1_000


def busy() -> Iterator[object]:
    """Make objects for ever, and hold some."""
    held: deque[object] = deque(maxlen=HELD)
    passing: deque[object] = deque(maxlen=PASSING)
    number = 0
    while True:
        number += 1
        held.append((number, str(number)))
        passing.append({"number": [number], "text": str(number) * 10})
        yield None


def rss_bytes() -> int:
    """Return the resident set."""
    (kib,) = re.findall(r"^VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(kib) * KIB


def recording_bytes() -> int:
    """Return how much of outlive's recording is resident: what was touched of it."""
    maps = re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", Path("/proc/self/smaps").read_text(), flags=re.MULTILINE)
    resident = (
        re.search(r"^Rss:\s+(\d+) kB", each, re.MULTILINE)
        for each in maps
        if ".outlive" in each.split("\n")[0]
    )
    return sum(int(found[1]) * KIB for found in resident if found is not None)


def main() -> None:
    """Live for some seconds; hand over memory at the end and the processor's share meanwhile."""
    what, seconds, sampler = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    SAMPLERS[sampler](Path(tempfile.mkdtemp()))
    began, spent = time.monotonic(), time.process_time()
    if what == "idle":
        time.sleep(seconds)
    else:
        steps = busy()
        for _ in range(int(seconds * 200_000)):  # the same work for all, however long it takes them
            next(steps)
    share = (time.process_time() - spent) / (time.monotonic() - began)
    hand_over(rss=rss_bytes(), recording=recording_bytes(), cpu_share=share)


if __name__ == "__main__":
    main()
