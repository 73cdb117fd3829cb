"""Recordings of processes that were killed, at whatever moment: each opens, and makes sense."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from outlive.recording import reader
from outlive.recording.totals import sums
from tests.capture.sampled import LONG, PRELUDE

if TYPE_CHECKING:
    from pathlib import Path

    from outlive.model.recording import Recording

KILLS = 200 if LONG else 15

# Four threads that make, move and free blocks of all sizes; of any one thread, at most a few MB live.
WORK = """
path = os.environ["RECORDING"]

def allocate(number):
    kept = []
    while True:
        for i in range(400):
            kept.append(bytearray(i * 7))
            kept[i // 2] += bytes(i)
        kept[:] = [str(i) for i in range(400)]
        kept.clear()

def ready():
    print("ready", flush=True)

def allocating():
    for number in range(4):
        threading.Thread(target=allocate, args=(number,), daemon=True).start()
"""

PROGRAMS = {
    "allocating": """
start(256)
record(path)
ready()
allocating()
time.sleep(3600)
""",
    "forking": """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
start(256, size=3 << 20)
record(path)
allocating()
ready()
while True:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
""",
    "making its file": """
start(256, size=3 << 20)
allocating()
ready()
while True:
    record(path + ".part")
    os.rename(path + ".part", path)
""",
    "renewing its stacks": """
start(128, size=3 << 20)
record(path)
ready()
kept = []
for i in range(1 << 40):
    names = {"kept": kept}
    lines = "\\n" * (i % 60)
    exec(compile(f"def made_{i}(n):{lines}\\n if n: made_{i}(n - 1)\\n else: kept.append(bytes(3_000))",
                 f"file_{i % 90}.py", "exec"), names)
    names[f"made_{i}"](i % 55)
    if len(kept) == 500:
        kept.clear()
""",
}


def _killed(program: str, path: Path, seconds: float) -> None:
    """Run a program, and kill it so long after it said that it is ready."""
    child = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + WORK + textwrap.dedent(program)],
        env={**os.environ, "RECORDING": str(path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n", child.communicate(timeout=60)
    time.sleep(seconds)
    child.kill()
    _, said = child.communicate(timeout=60)
    assert (child.returncode, said) == (-signal.SIGKILL, "")


def _assert_sane(found: Recording) -> None:
    assert found.process.state == "running"  # it had no time to say otherwise
    assert found.torn <= 4  # slots that were being written
    assert found.samples
    for sample in found.samples:
        assert 0 < sample.size < 1 << 30
        assert sample.interval_bytes >= found.interval_bytes
        assert 0 <= sample.born < 120
        for frame in found.stacks[sample.stack].frames:
            assert frame.function
            assert frame.file
            assert 0 <= frame.line < 10_000
    known = [sample for sample in found.samples if found.stacks[sample.stack].frames]
    assert len(known) >= 0.9 * len(found.samples) - 20
    in_use = sum(each.estimate.estimate for each in sums(found.samples).values())
    assert 1_000 < in_use < 500 << 20


@pytest.mark.parametrize("doing", PROGRAMS)
def test_killed_at_a_random_moment(doing: str, tmp_path: Path) -> None:
    chance = random.Random(doing)  # noqa: S311 - to be the same each time
    opened = 0
    for number in range(KILLS if doing == "allocating" or LONG else KILLS // 3):
        path = tmp_path / f"{number}.outlive"
        _killed(PROGRAMS[doing], path, chance.uniform(0, 0.3))
        if doing == "making its file" and not path.exists():
            continue  # it was still making the first
        _assert_sane(reader.read(path))
        path.unlink()
        opened += 1
    assert opened


def test_read_while_stacks_are_renewed(tmp_path: Path) -> None:
    """A reader gets stacks of one moment, or a clear word; never others' names."""
    path = tmp_path / "now.outlive"
    child = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + WORK + PROGRAMS["renewing its stacks"]],
        env={**os.environ, "RECORDING": str(path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        sampled, forgotten = 0, 0.0
        for _ in range(60 if LONG else 12):
            found = reader.read(path)
            assert found.sampled >= sampled
            sampled, forgotten = found.sampled, max(forgotten, found.forgotten_bytes)
            for stack in found.stacks.values():
                made = [frame for frame in stack.frames if frame.function.startswith("made_")]
                assert len({frame.function for frame in made}) <= 1, stack
                for frame in made:
                    number = int(frame.function.removeprefix("made_"))
                    assert (frame.file, frame.line - number % 60) in {
                        (f"file_{number % 90}.py", 2),
                        (f"file_{number % 90}.py", 3),
                    }, frame
        child.kill()
    assert forgotten > 0  # stacks did give way
