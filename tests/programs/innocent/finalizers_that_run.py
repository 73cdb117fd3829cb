"""Finalizers of objects that die.

expect: no leak
"""

import os
import weakref

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Connection:
    pass


def send() -> None:
    connection = Connection()
    weakref.finalize(connection, bytearray(30_000).clear)


for _ in range(RUNS):
    with outlive.scope("send"):
        send()
