"""Programs that leak, run for real: what a recording and a snapshot of them give rules to judge."""

from __future__ import annotations

import linecache
import os
import subprocess
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

from outlive.heap.blocks import Blocks
from outlive.heap.snapshot import Snapshot
from outlive.recording import reader
from outlive.rules import Evidence

if TYPE_CHECKING:
    from pathlib import Path

    from outlive.model.recording import Frame, Sample
    from outlive.rules import Rule

RUNS = 24
PATIENCE_SECONDS = 300
OBSERVER = """
import os, sys
import outlive
outlive.start(interval="1 KiB", recording=sys.argv[2], size="128 MiB")
file = sys.argv[1]
sys.argv = [file]
with open(file, encoding="utf-8") as opened:
    code = compile(opened.read(), file, "exec")
del opened
exec(code, globals())
outlive.snapshot(os.environ["OBSERVED_HEAP"])
os._exit(0)  # some programs' threads never end
"""


def observe(program: Path, folder: Path, marked: str = "# made") -> Evidence:
    """The evidence of what outlived a program's runs, made by the line that is marked, or by the most."""
    heap = folder / "seen.heap"
    child = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", OBSERVER, program, folder / "recordings"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, "PLANTED_RUNS": str(RUNS), "OBSERVED_HEAP": str(heap)},
    )
    assert child.returncode == 0, (child.returncode, child.stderr[-4000:])
    assert "Traceback" not in child.stderr, child.stderr[-4000:]
    (recorded,) = (folder / "recordings").glob("*.outlive")
    recording = reader.read(recorded)
    lines = program.read_text(encoding="utf-8").splitlines()
    at = next((number for number, line in enumerate(lines, 1) if marked in line), 0)
    found: defaultdict[tuple[Frame, ...], list[Sample]] = defaultdict(list)
    for sample in recording.samples:
        frames = recording.stacks[sample.stack].frames
        own = next((frame for frame in frames if frame.file == str(program)), None)
        if own and sample.run:
            found[frames].append(sample)
    marked_ones = {frames: of for frames, of in found.items() if any(one.line == at for one in frames)}
    assert found, "nothing survived"
    # What the first run alone made is no leak.
    frames, samples = max(
        (marked_ones or found).items(),
        key=lambda pair: (len({one.run for one in pair[1]}) // 4, sum(max(one.size, 256) for one in pair[1])),
    )
    blocks = Blocks(Snapshot(heap))
    rows = blocks.objects([sample.address for sample in samples])
    rows = rows[rows >= 0]
    types = blocks.types(rows)
    return Evidence(
        scope="planted",
        runs=RUNS,
        frames=frames,
        types=tuple(sorted(set(types), key=types.count, reverse=True)),
        holders=tuple(blocks.holders(rows)) if len(rows) else (),
        sources=tuple(linecache.getline(frame.file, frame.line).strip() for frame in frames),
    )


def fired(evidence: Evidence, rules: tuple[Rule, ...]) -> dict[str, str]:
    """Each rule of a leak that the evidence speaks for, with its reason."""
    return {
        rule.number: reason
        for rule in rules
        if rule.verdict in ("leak", "bounded growth") and (reason := rule.sign(evidence))
    }
