"""What a thread put into a threading.local.

3 held by module: __main__ → LOCAL → session → list[3]
3 held by thread: worker → session → list[3]
"""

import sys
import threading

import outlive


class Leaked:
    pass


LOCAL = threading.local()
READY, DONE = threading.Event(), threading.Event()


def work() -> None:
    LOCAL.session = [Leaked() for _ in range(3)]
    READY.set()
    DONE.wait()


threading.Thread(target=work, name="worker").start()
READY.wait()
outlive.snapshot(sys.argv[1])
DONE.set()
