"""Documents read, changed and written; the last one stays at hand.

expect: no leak
"""

import json
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
TEXT = json.dumps([{"id": number, "name": f"user {number}"} for number in range(200)])
LATEST: list[dict[str, object]] = []

for number in range(RUNS):
    with outlive.scope("edit"):
        LATEST = json.loads(TEXT)
        LATEST[number % 200]["name"] = f"changed {number}"
