"""A log file a job, opened and never closed; its buffer stays.

expect: leak
scope: job
rule: L02
holder: module __main__ → FILES → BufferedWriter
per run: 66000
"""

import os
import tempfile
from pathlib import Path
from typing import IO

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
FILES: list[IO[bytes]] = []
FOLDER = tempfile.TemporaryDirectory()


def job(number: int) -> None:
    log = Path(FOLDER.name, str(number)).open("wb", buffering=65_536)  # made
    log.write(b"started\n")
    FILES.append(log)


for number in range(RUNS):
    with outlive.scope("job"):
        job(number)
