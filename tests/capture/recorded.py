"""Programs that record, run for real in a folder of their own, and what is found there."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING, TypeVar

import pytest

from outlive.recording import reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from outlive.model.recording import Recording

T = TypeVar("T")

PATIENCE_SECONDS = 120

# What the programs find ready: their recording, and a way to wait for what another thread or process does.
PRELUDE = """
import gc, os, pathlib, signal, sys, time
import outlive
from outlive.recording import reader

def recordings():
    return [reader.read(file) for file in pathlib.Path(os.environ["OUTLIVE_RECORDING"]).glob("*.outlive")]

def own():
    return next((each for each in recordings() if each.process.pid == os.getpid()), None)

def until(condition):
    end = time.monotonic() + 60
    while not (value := condition()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)
    return value
"""


class Place:
    """A folder that programs record to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment = {**os.environ, "OUTLIVE_RECORDING": str(path / "recordings")}

    def start(self, program: str, *options: str, before: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start a program; it is to say "ready" when the test may go on. `before`: words that start it."""
        child = subprocess.Popen(
            [*before, sys.executable, *options, "-c", PRELUDE + textwrap.dedent(program)],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        if child.stdout.readline() != "ready\n":
            pytest.fail(str(child.communicate(timeout=PATIENCE_SECONDS)))
        return child

    def run(self, program: str, *options: str) -> str:
        """Run a program to its end, which must be a good and silent one; returns its stdout."""
        child = subprocess.run(
            [sys.executable, *options, "-c", PRELUDE + textwrap.dedent(program)],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert (child.returncode, child.stderr) == (0, ""), child
        return child.stdout

    def recordings(self) -> dict[int, Recording]:
        """Read what lies there, by pid."""
        folder = self.path / "recordings"
        found = [reader.read(file) for file in folder.glob("*.outlive")] if folder.exists() else []
        by_pid = {each.process.pid: each for each in found}
        assert len(by_pid) == len(found)
        return by_pid


def until(condition: Callable[[], T]) -> T:
    """Return what the condition is once it is true."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (value := condition()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)
    return value
