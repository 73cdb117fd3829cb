"""Programs whose blocks say by their size which they are, and in which run of which scope each was found."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.capture.recorded import Place

# make(7) makes block 7, so large at this interval that it is sampled for certain (but once in e^90 programs).
PRELUDE = """
import asyncio, contextlib, contextvars, threading, time
scope = outlive.scope
kept = {}
def make(mark):
    kept[mark] = bytes(100_000 + 1000 * mark)
async def make_soon(mark):
    await asyncio.sleep(0)
    make(mark)

def newest():
    mine = [each for each in recordings() if each.process.pid == os.getpid()]
    return max(mine, key=lambda each: each.process.began)
def places():
    recording = newest()
    found = {}
    for sample in recording.samples:
        mark, rest = divmod(sample.size - bytes().__sizeof__() - 100_000, 1000)
        if mark >= 0 and not rest:
            row = recording.scopes.get(sample.scope)
            found[mark] = (row.name, sample.run) if row else None
    assert set(found) == set(kept), (found, set(kept))
    return found
def counts():
    return {row.name: (row.began, row.ended) for row in newest().scopes.values()}
"""


def run(place: Place, program: str, *options: str) -> str:
    """Run a program that is sampled from its beginning; it must end well."""
    return place.run(PRELUDE + 'outlive.start("1 KiB")\n' + textwrap.dedent(program), *options)


def run_unsampled(place: Place, program: str, *options: str) -> str:
    """Run one that is not, or starts that itself."""
    return place.run(PRELUDE + textwrap.dedent(program), *options)
