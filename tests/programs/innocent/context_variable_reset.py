"""A context variable that each request sets, and resets.

expect: no leak
"""

import contextvars
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
BODY: contextvars.ContextVar[bytearray | None] = contextvars.ContextVar("body", default=None)


def request() -> None:
    token = BODY.set(bytearray(50_000))
    try:
        contextvars.copy_context().run(len, b"")
    finally:
        BODY.reset(token)


for _ in range(RUNS):
    with outlive.scope("request"):
        request()
