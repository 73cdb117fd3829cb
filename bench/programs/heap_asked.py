"""A question about a large heap, timed: `heap_asked.py QUESTION TOOL OBJECTS SECONDS`, at most so many."""

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from side_by_side.children import hand_over

from programs import heap_objects, heap_tools
from programs.memory import peak_bytes, rss_bytes


def give_up(_number: int, _frame: FrameType | None) -> None:
    """Say that it took too long."""
    hand_over(over=True)
    os._exit(0)


def again() -> dict[str, float]:
    """Return how long a snapshot takes to tell what holds an object when it was asked about another one."""
    import outlive

    heap = outlive.open(heap_tools.snapshot())
    times = []
    for which in (lambda: heap_objects.ORDERS[0], heap_objects.one):
        started = time.perf_counter()
        print(heap.why(hex(id(which())))[0].text)
        times.append(time.perf_counter() - started)
    return dict(zip(("seconds_first", "seconds"), times, strict=True))


def main() -> None:
    """Make the heap, ask once; hand over seconds, what the process grew by meanwhile, and what stayed."""
    question, tool, objects, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    heap_objects.fill(objects)
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(limit)
    if question == "why again":
        hand_over(**again())
        return
    ask = heap_tools.QUESTIONS[question][tool]
    dicts = heap_objects.materialised()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, started = rss_bytes(), time.perf_counter()
    ask()
    sys.stdout.flush()
    seconds = time.perf_counter() - started
    extra = peak_bytes() - before
    signal.alarm(0)
    hand_over(seconds=seconds, extra=extra, dicts=heap_objects.materialised() - dicts)


if __name__ == "__main__":
    main()
