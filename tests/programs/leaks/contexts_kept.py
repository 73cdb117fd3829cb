"""Callbacks kept with the context they were made in; a variable there holds the request's body.

expect: leak
scope: request
rule: L16
holder: module __main__ → CALLBACKS → Context → body
per run: 50057
"""

import contextvars
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
BODY: contextvars.ContextVar[bytearray] = contextvars.ContextVar("body")
CALLBACKS: list[contextvars.Context] = []


def request() -> None:
    BODY.set(bytearray(50_000))  # made
    CALLBACKS.append(contextvars.copy_context())


for _ in range(RUNS):
    with outlive.scope("request"):
        contextvars.copy_context().run(request)
