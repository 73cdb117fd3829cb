"""A MemoryHandler that writes its records out when it has 50.

expect: no leak
"""

import io
import logging
import logging.handlers
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
STREAM = io.StringIO()
LOG = logging.getLogger("app")
LOG.setLevel(logging.INFO)
LOG.addHandler(logging.handlers.MemoryHandler(50, target=logging.StreamHandler(STREAM)))

for number in range(RUNS):
    with outlive.scope("request"):
        for step in range(7):
            LOG.info("request %d, step %d: %s", number, step, "." * 500)
        if STREAM.tell() > 100_000:
            STREAM.seek(0)
            STREAM.truncate()
