"""Each job asks for the same logger, and adds a handler only if it has none.

expect: no leak
"""

import logging
import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Job:
    def __init__(self) -> None:
        self.log = logging.getLogger("app.jobs")
        if not self.log.handlers:
            self.log.addHandler(logging.NullHandler())

    def run(self, number: int) -> None:
        self.log.warning("job %d: %s", number, "." * 20_000)


for number in range(RUNS):
    with outlive.scope("job"):
        Job().run(number)
