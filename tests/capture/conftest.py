"""Runs small programs of known truth under `outlive run` in child processes, one for each program."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True)
class Lines:
    """The line figures of one run, found by a mark (`# mark`) at the end of the source line."""

    profile: dict[str, Any]
    stdout: str

    def at(self, mark: str) -> dict[str, Any]:
        """Return the figures of the only executed line that ends in `# mark`."""
        found = [
            line
            for function in self.profile["functions"]
            for line in function["lines"]
            if line["source"].endswith(f"# {mark}")
        ]
        assert len(found) == 1, f"{mark}: {found}"
        return dict(found[0])

    def calls(self, function: str) -> int:
        """Return how often a function was called."""
        return int(next(f["calls"] for f in self.profile["functions"] if f["function"] == function))


def is_true(measured: int, truth: int) -> bool:
    """Whether a figure is within the promised 1 % + 1 KiB of the truth."""
    return abs(measured - truth) <= abs(truth) * 0.01 + KIB


RunLines = "Callable[..., Lines]"


@pytest.fixture
def run_lines(tmp_path: Path) -> Callable[..., Lines]:
    """Return a function that runs a program's source under `outlive run` and gives its line figures."""

    def run(source: str, *options: str) -> Lines:
        script = tmp_path / "program.py"
        script.write_text(textwrap.dedent(source), encoding="utf-8")
        report = tmp_path / "profile.json"
        child = subprocess.run(
            [sys.executable, "-m", "outlive", "run", "--json", str(report), *options, str(script)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=tmp_path,
        )
        assert child.returncode == 0, child.stderr
        return Lines(json.loads(report.read_text(encoding="utf-8")), child.stdout)

    return run
