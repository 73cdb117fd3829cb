"""Virtual environments in which outlive can be enabled without touching the one that the suite runs in."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import venv
from typing import TYPE_CHECKING

from outlive.recording import reader

if TYPE_CHECKING:
    from pathlib import Path

    from outlive.model.recording import Recording

PATIENCE_SECONDS = 120


class Environment:
    """A virtual environment that also has what the suite's own has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        venv.create(path, with_pip=False, symlinks=True)
        self.python = path / "bin" / "python"
        (self.packages,) = path.glob("lib/python3*/site-packages")
        suite = sysconfig.get_path("purelib")
        (self.packages / "a_suite.pth").write_text(f"import site; site.addsitedir({suite!r})\n")
        self.file = self.packages / "outlive.pth"
        self.recordings_folder = path / "recordings"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OUTLIVE")}
        kept.pop("VIRTUAL_ENV", None)
        self.variables = {**kept, "OUTLIVE_RECORDING": str(self.recordings_folder)}

    def run(self, *words: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, *words],
            env={**self.variables, **variables},
            cwd=self.path,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    def enable(self) -> None:
        done = self.run("-m", "outlive", "enable")
        assert (done.returncode, done.stderr) == (0, ""), done
        assert str(self.file) in done.stdout

    def recordings(self) -> list[Recording]:
        if not self.recordings_folder.exists():
            return []
        return [reader.read(file) for file in self.recordings_folder.glob("*.outlive")]
