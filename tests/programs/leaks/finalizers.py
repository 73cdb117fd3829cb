"""A finalizer of a connection that never dies, for each buffer that does nothing more.

expect: leak
scope: send
rule: L18
holder: finalize
per run: 30057
"""

import os
import weakref

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Connection:
    def release(self) -> None: ...


CONNECTION = Connection()


def send() -> None:
    buffer = bytearray(30_000)  # made
    weakref.finalize(CONNECTION, buffer.clear).atexit = False


for _ in range(RUNS):
    with outlive.scope("send"):
        send()
