"""A workload plain and under outlive, by turns in one process: `by_turns.py NAME SIZE PAIRS`.

Neighbours in time and in memory layout, so a small difference shows where that of two processes drowns.
"""

import gc
import sys
from time import process_time, sleep

from side_by_side.children import hand_over

import outlive
from programs.samplers import recordings
from programs.watched import workload

SECONDS = 1.2  # of work in a turn: the look that outlive takes once a second is in it
FIRST_LOOK_SECONDS = 0.3


def main() -> None:
    """Time the work each way that many times, A B then B A; the first pair of all only warms up."""
    name, size, pairs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    work = workload(name, size)
    recording = recordings()
    work()
    started = process_time()
    work()
    times = max(1, round(SECONDS / (process_time() - started)))
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for number in range(pairs + 1):
        for sampled in (False, True) if number % 2 else (True, False):
            if sampled:
                outlive.start(recording=recording)
                sleep(FIRST_LOOK_SECONDS)  # what comes once is no cost of a service that runs for weeks
            work()
            gc.collect()  # or a full collection falls into one run and not into another
            started = process_time()
            for _ in range(times):
                work()
            seconds[sampled].append(process_time() - started)
            if sampled:
                outlive.stop()
    hand_over(plain=seconds[False][1:], sampled=seconds[True][1:])


if __name__ == "__main__":
    main()
