"""Each run starts a thread that waits for a message nobody sends.

expect: leak
scope: connect
rule: L09
holder: listen → buffer
per run: 45300
"""

import contextvars
import os
import threading

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
threading.stack_size(128 * 1024)


def listen(ready: threading.Event) -> None:
    buffer = bytearray(40_000)  # made
    ready.set()
    threading.Event().wait()
    buffer.clear()


def connect() -> None:
    ready = threading.Event()
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(listen, ready), daemon=True).start()
    ready.wait()


for _ in range(RUNS):
    with outlive.scope("connect"):
        connect()
