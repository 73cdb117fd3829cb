"""A queue of C that nobody reads.

3 held by module: __main__ → JOBS → SimpleQueue
"""

import queue
import sys

import outlive


class Leaked:
    pass


JOBS: queue.SimpleQueue[Leaked] = queue.SimpleQueue()
JOBS.put(Leaked())
JOBS.put(Leaked())
JOBS.put(Leaked())

outlive.snapshot(sys.argv[1])
