"""Files stay open between runs in a cache of eight that closes the oldest.

expect: no leak
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
OPEN: dict[int, IO[bytes]] = {}


def append(file: Path, number: int) -> None:
    if number not in OPEN:
        if len(OPEN) == 8:
            OPEN.pop(min(OPEN)).close()
        OPEN[number] = file.open("ab", buffering=32_768)
    OPEN[number].write(b"entry\n")


with TemporaryDirectory() as folder:
    for number in range(RUNS):
        with outlive.scope("append"):
            append(Path(folder, str(number // 2)), number // 2)
    for opened in OPEN.values():
        opened.close()
