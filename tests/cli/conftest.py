"""A folder with a program in it, run for real: by plain Python, and by the same Python under outlive."""

import json
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Ended:
    """What a process left behind."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> list[str]:
        """outlive's own lines on stderr."""
        return [line for line in self.err.splitlines() if line.startswith("outlive: ")]

    @property
    def own(self) -> tuple[int, str, str]:
        """What is the program's own: code, stdout up to the tables, stderr without outlive's lines."""
        out = self.out[: self.out.find("Filename: ")] if "Filename: " in self.out else self.out
        err = "".join(line for line in self.err.splitlines(keepends=True) if not line.startswith("outlive: "))
        return self.code, out, err


class Home:
    """The folder that programs are written to and run in."""

    def __init__(self, path: Path, results: Path) -> None:
        self.path, self.results = path, results

    def write(self, name: str, source: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(source), encoding="utf-8")
        return file

    def files(self) -> list[str]:
        """Name all that is in the folder, but for compiled modules."""
        return sorted(
            str(f.relative_to(self.path)) for f in self.path.rglob("*") if "__pycache__" not in f.parts
        )

    def plain(self, *words: str, **variables: str) -> Ended:
        """Run Python itself."""
        ended = subprocess.run(
            [sys.executable, *words],
            cwd=self.path,
            env={**os.environ, **variables},
            input="first\nsecond\n",
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def run(self, *words: str, **variables: str) -> Ended:
        return self.plain("-m", "outlive", "run", *words, **variables)

    def profile(self, *words: str, **variables: str) -> dict[str, Any]:
        """Run under outlive and return the JSON document."""
        file = self.results / "profile.json"
        ended = self.run("--json", str(file), *words, **variables)
        assert file.exists(), ended
        document: dict[str, Any] = json.loads(file.read_bytes())
        assert document["exit_code"] == ended.code, ended
        return document

    def line_of(self, document: dict[str, Any], function: str, source: str) -> dict[str, Any]:
        """Return the figures of the one line of a function that reads `source`, and the function's calls."""
        (found,) = (f for f in document["functions"] if f["function"] == function)
        (line,) = (line for line in found["lines"] if line["source"] == source)
        return {"calls": found["calls"], **line}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    path, results = tmp_path / "home", tmp_path / "results"
    path.mkdir()
    results.mkdir()
    return Home(path, results)
