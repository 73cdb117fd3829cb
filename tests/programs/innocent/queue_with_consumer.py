"""A queue that one thread fills and another one empties.

expect: no leak
"""

import os
import queue
import threading

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
JOBS: queue.Queue[bytes | None] = queue.Queue(maxsize=10)


def consume() -> None:
    while JOBS.get() is not None:
        JOBS.task_done()


reader = threading.Thread(target=consume)
reader.start()
for number in range(RUNS):
    with outlive.scope("produce"):
        for _ in range(5):
            JOBS.put(number.to_bytes(10_000))
JOBS.put(None)
reader.join()
