"""A local of a function that another thread runs.

3 held by thread: worker → work → {waits} → rows → list[3]
"""

import sys
import threading

import outlive


class Leaked:
    pass


READY, DONE = threading.Event(), threading.Event()


def work() -> int:
    rows = [Leaked() for _ in range(3)]
    READY.set()
    DONE.wait()  # waits
    return len(rows)


threading.Thread(target=work, name="worker").start()
READY.wait()
outlive.snapshot(sys.argv[1])
DONE.set()
