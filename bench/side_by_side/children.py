"""Child processes: each runs a program of `bench/programs` and hands a JSON object of figures back."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "bench" / "programs"

Figures = dict[str, Any]

_FILE = "BENCH_FIGURES"
_CALLGRIND = ("valgrind", "--tool=callgrind", "--separate-threads=yes")


def call(
    *arguments: str | Path, given: Mapping[str, str] | None = None, accepted: Container[int] = (0,)
) -> None:
    """Run `python *arguments` to its end, with `given` in its environment.

    Raises:
        SystemExit: its exit code is not an accepted one; says so, with the end of what it printed.

    """
    environment = _environment(given or {})
    child = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if child.returncode not in accepted:
        said = "\n".join((child.stdout + child.stderr).splitlines()[-15:])
        command = " ".join(map(str, arguments))
        raise SystemExit(f"bench: python {command} ended with {child.returncode}\n{said}")


def run(*arguments: str | Path) -> Figures:
    """Run `python *arguments` to its end and return what it handed over. Raises what `call` does.

    Its temporary files are gone afterwards.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "figures.json"
        call(*arguments, given={_FILE: str(file), "TMPDIR": folder})
        figures: Figures = json.loads(file.read_text())
        return figures


def hand_over(**figures: object) -> None:
    """Give the figures to whoever started this process with `run`; anybody else sees them printed."""
    text = json.dumps(figures)
    if file := os.environ.get(_FILE):
        Path(file).write_text(text)
    else:
        print(text)


def instructions(*arguments: str | Path) -> int:
    """Return how many machine instructions `python *arguments` takes in its main thread, from start to end.

    What another thread does once a second would count fifty times, as much as valgrind slows all down. Runs
    the program twice: after the first time, nothing that it imports need be compiled.

    Raises:
        SystemExit: valgrind is not here, or failed.

    """
    command = " ".join(map(str, arguments))
    with tempfile.TemporaryDirectory() as folder:
        given = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": folder, "TMPDIR": folder}
        counts = Path(folder) / "counts"
        call(*arguments, given=given)
        try:
            child = subprocess.run(
                [*_CALLGRIND, f"--callgrind-out-file={counts}", sys.executable, *arguments],
                env=_environment(given),
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError:
            raise SystemExit("bench: --instructions needs valgrind on PATH") from None
        if child.returncode != 0:
            raise SystemExit(f"bench: valgrind python {command} failed\n{child.stderr[-2000:]}")
        found = re.findall(r"^totals: (\d+)", counts.with_name("counts-01").read_text(), re.MULTILINE)
        return sum(map(int, found))


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    path = [str(ROOT), str(ROOT / "bench"), *filter(None, [os.environ.get("PYTHONPATH")])]
    # One hash seed for all: with another order of sets and dicts the same program takes another time.
    return {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(path), **more}
