"""Real pytest sessions in child processes, and what became of their tests."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Session:
    """`outcomes`: by test's name, each "passed", "failed", "error" or "skipped" that was reported."""

    output: str
    code: int
    outcomes: dict[str, list[str]]
    properties: dict[str, dict[str, str]]

    def failure(self, test: str) -> str:
        """What stands under the test's name among the failures."""
        _, _, after = self.output.partition(f" {test} _")
        return after.partition("\n___")[0].partition("\n===")[0]


def session(
    folder: Path, source: str, *arguments: str, plugins: Sequence[str] = (), ini: str = "", **environment: str
) -> Session:
    """Run the tests in `source` with pytest; of installed plugins, ours and those named are loaded."""
    (folder / "pytest.ini").write_text("[pytest]\n" + ini)
    (folder / "test_it.py").write_text(textwrap.dedent(source))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", "--junitxml=junit.xml"]
    loaded = [argument for plugin in ("outlive.pytest_plugin", *plugins) for argument in ("-p", plugin)]
    ended = subprocess.run(
        [*command, *loaded, *arguments],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    output = ended.stdout + ended.stderr
    outcomes: dict[str, list[str]] = {}
    properties: dict[str, dict[str, str]] = {}
    report = folder / "junit.xml"
    for case in ET.parse(report).getroot().iter("testcase") if report.exists() else ():  # noqa: S314 - ours
        name = case.get("name", "")
        said = [each.tag for each in case if each.tag in {"failure", "error", "skipped"}] or ["passed"]
        outcomes.setdefault(name, []).extend("failed" if each == "failure" else each for each in said)
        properties[name] = {each.get("name", ""): each.get("value", "") for each in case.iter("property")}
    return Session(output, ended.returncode, outcomes, properties)
