"""Each job adds a handler to the logger they share.

expect: leak
scope: job
rule: L13
holder: handlers → MemoryHandler.buffer
per run: 15400
"""

import logging
import logging.handlers
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Job:
    def __init__(self, number: int) -> None:
        self.number = number
        self.log = logging.getLogger("app.jobs")
        self.log.propagate = False
        self.handler = logging.handlers.MemoryHandler(capacity=1000, flushLevel=logging.CRITICAL)
        self.log.addHandler(self.handler)

    def run(self) -> None:
        for step in range(30):
            record = logging.LogRecord("jobs", 20, "job.py", step, "step %d", (step,), None)  # made
            self.handler.handle(record)


for number in range(RUNS):
    with outlive.scope("job"):
        Job(number).run()
