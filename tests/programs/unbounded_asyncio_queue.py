"""A queue of asyncio's that nobody reads.

3 held by module: __main__ → JOBS → ._queue → deque
"""

import asyncio
import sys

import outlive


class Leaked:
    pass


JOBS: asyncio.Queue[Leaked] = asyncio.Queue()
JOBS.put_nowait(Leaked())
JOBS.put_nowait(Leaked())
JOBS.put_nowait(Leaked())

outlive.snapshot(sys.argv[1])
