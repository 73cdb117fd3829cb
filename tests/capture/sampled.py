"""Programs that drive the native sampler itself, seeds and all, run in child processes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE_SECONDS = 600
LONG = os.environ.get("OUTLIVE_LONG") == "1"  # the full numbers, minutes instead of seconds

ALLOCATORS = pytest.mark.parametrize("allocator", ["pymalloc", "malloc", "pymalloc_debug", "malloc_debug"])

# What the programs find ready. Code in <prelude> is not theirs.
PRELUDE = """
import gc, math, os, pathlib, sys, tempfile, threading, time
from outlive.capture.core import native
from outlive.model.estimate import poisson_estimate
from outlive.recording import reader

LONG = os.environ.get("OUTLIVE_LONG") == "1"
started_as = size_now = 0

def start(interval, seed=1, size=8 << 20):
    global started_as, size_now
    started_as = native.start(native.MODE_SAMPLE, interval, seed, size)
    size_now = size

def stop():
    native.stop(native.MODE_SAMPLE)

def record(path):
    with open(path, "wb+") as file:
        os.posix_fallocate(file.fileno(), 0, size_now)
        native.record(started_as, file.fileno())

# The recording as a reader sees it; the reader is not in it, for in the ticker's thread nothing is sampled.
def read():
    found, done = [], threading.Event()
    def look():
        try:
            with tempfile.TemporaryDirectory() as folder:
                record(folder + "/now.outlive")
                found.append(reader.read(pathlib.Path(folder, "now.outlive")))
        finally:
            done.set()
    native.ticker_start(look, 0, 3600)
    done.wait()
    native.ticker_stop()
    return found[0]

# Live samples of blocks that some functions of the program made, what is within them included.
def samples_of(*functions):
    return sum(row[6] for row in native.sites() if row[1].split(".")[0] in functions)

# (estimate, variance) of what a function's own lines hold, those of its comprehensions included.
def held(function):
    rows = [row for row in native.sites() if row[1].split(".")[0] == function]
    return sum(row[3] for row in rows), sum(row[4] for row in rows)
"""


def run(program: str, *options: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a program to its end, which must be a good one without a word on stderr; return its stdout."""
    child = subprocess.run(
        [sys.executable, "-X", "faulthandler", *options, "-c", PROLOGUE + textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, **(environment or {})},
    )
    assert (child.returncode, child.stderr) == (0, ""), (child.returncode, child.stdout, child.stderr[-4000:])
    return child.stdout


# The prelude is compiled apart: its names are the program's, its file (that is "<string>") and lines are not.
PROLOGUE = f"exec(compile({PRELUDE!r}, '<prelude>', 'exec'))\n"
