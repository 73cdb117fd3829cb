"""Temporary files that are closed, and so removed.

expect: no leak
"""

import os
from tempfile import NamedTemporaryFile, SpooledTemporaryFile

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))

for number in range(RUNS):
    with outlive.scope("convert"), NamedTemporaryFile() as target, SpooledTemporaryFile(10_000) as source:
        source.write(number.to_bytes(30_000))
        source.seek(0)
        target.write(source.read())
