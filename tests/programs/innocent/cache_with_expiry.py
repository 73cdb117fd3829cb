"""Entries live for ten runs, and are swept when the next one comes.

expect: no leak
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
SESSIONS: dict[str, tuple[int, bytearray]] = {}


def log_in(now: int) -> None:
    for key in [key for key, (until, _) in SESSIONS.items() if until < now]:
        del SESSIONS[key]
    SESSIONS[f"user-{now}"] = (now + 10, bytearray(25_000))


for now in range(RUNS):
    with outlive.scope("POST /login"):
        log_in(now)
