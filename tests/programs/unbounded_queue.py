"""A queue that nobody reads.

3 held by module: __main__ → JOBS → .queue → deque
"""

import queue
import sys

import outlive


class Leaked:
    pass


JOBS: queue.Queue[Leaked] = queue.Queue()
JOBS.put(Leaked())
JOBS.put(Leaked())
JOBS.put(Leaked())

outlive.snapshot(sys.argv[1])
