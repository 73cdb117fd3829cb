"""The longest pause of a service while its heap is looked at: `heap_pause.py WHAT MB SECONDS`.

WHAT is "nothing", for `QUIET_SECONDS`, or "QUESTION TOOL" of `heap_tools`; outlive only takes its snapshot,
as another process reads that. The service handles a request a millisecond until it is done.
"""

import os
import sys
import threading
import time

from side_by_side.children import hand_over

import outlive
from programs import heap_objects, heap_tools
from programs.memory import rss_bytes

QUIET_SECONDS = 3.0
REQUEST_ORDERS = 20
PORTION = 200_000
MB = 1_000_000


def handle(number: int) -> int:
    """Look at some orders here and there, as a request does: that writes to their reference counts."""
    orders = heap_objects.ORDERS
    some = (orders[(number * 7_919 + at * 104_729) % len(orders)] for at in range(REQUEST_ORDERS))
    return sum(len(one.lines) for one in some)


def main() -> None:
    """Grow to so many MB, then serve; hand over the longest time between two requests."""
    what, size, limit = sys.argv[1], int(sys.argv[2]) * MB, float(sys.argv[3])
    while rss_bytes() < size:
        heap_objects.fill(PORTION)
    files = []

    def look() -> None:
        if what == "nothing":
            time.sleep(QUIET_SECONDS)
            return
        question, tool = what.split()
        if tool == heap_tools.OUTLIVE:
            files.append(heap_tools.snapshot())
        else:
            heap_tools.QUESTIONS[question][tool]()

    thread = threading.Thread(target=look)
    rss, longest, number = rss_bytes(), 0.0, 0
    thread.start()
    began = last = time.perf_counter()
    while thread.is_alive() and last - began < limit:
        time.sleep(0.001)
        number += handle(number)
        now = time.perf_counter()
        longest, last = max(longest, now - last), now
    reported = [outlive.open(file).info.pause_seconds for file in files]
    hand_over(longest=longest, reported=reported, rss=rss, over=thread.is_alive())
    sys.stdout.flush()
    os._exit(0)  # whatever the thread still does


if __name__ == "__main__":
    main()
