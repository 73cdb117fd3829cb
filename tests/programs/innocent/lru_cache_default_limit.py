"""lru_cache as it comes: full at 128 entries, long after 50 runs and before 300.

expect: no leak
"""

import os
from functools import lru_cache

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


@lru_cache
def profile(user: int) -> str:
    return f"user {user}" * 1500


for user in range(RUNS):
    with outlive.scope("GET /profile"):
        profile(user)
