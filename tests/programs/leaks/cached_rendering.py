"""functools.cache on a function that is called with ids of users.

expect: leak
scope: GET /profile
rule: L05
holder: module __main__ → lru_cache → render
per run: 15049
"""

import os
from functools import cache

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


@cache
def render(template: str, user: int) -> str:
    return template * 3000 + str(user)  # made


for user in range(1000, 1000 + RUNS):
    with outlive.scope("GET /profile"):
        render("<p/> ", user)
