"""Jobs that remember their last error, in a register of all jobs.

expect: leak
scope: resize
rule: L07
holder: module __main__ → JOBS → Job.error → RuntimeError → traceback → resize → pixels
per run: 120057
"""

import os

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))


class Job:
    error: Exception | None = None

    def run(self, number: int) -> None:
        try:
            resize(number)
        except RuntimeError as error:
            self.error = error


def resize(number: int) -> None:
    pixels = bytearray(120_000)  # made
    raise RuntimeError(f"image {number} has a bad header: {pixels[:4].hex()}")


JOBS: dict[int, Job] = {}

for number in range(RUNS):
    with outlive.scope("resize"):
        JOBS[number] = Job()
        JOBS[number].run(number)
