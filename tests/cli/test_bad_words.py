"""Words that name nothing there can be: a clear line, and never a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.recording import synthetic

if TYPE_CHECKING:
    from pathlib import Path

LONG, DIGITS = "x" * 5000, "1" * 5000


def refused(*words: str, **variables: str) -> str:
    """Run a command that is to fail in one line of outlive's own, and return that."""
    child = subprocess.run(
        [sys.executable, "-m", "outlive", *words],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert child.returncode in (2, 3), child
    (line,) = child.stderr.splitlines()
    assert line.startswith("outlive: ")
    return line


@pytest.mark.parametrize("command", ["report", "top", "postmortem", "diagnose"])
@pytest.mark.parametrize("name", [LONG, DIGITS, DIGITS[:300], "a/" * 3000], ids="xd3p")
def test_a_name_that_is_too_long(command: str, name: str) -> None:
    refused(command, name)


@pytest.mark.parametrize("words", [("convert", "--to", "json", "-o"), ("report", "--html")])
def test_a_file_to_write_whose_name_is_too_long(words: tuple[str, ...], tmp_path: Path) -> None:
    file = synthetic.write(tmp_path / "a.outlive", synthetic.recording())
    assert "File name too long" in refused(*words, LONG, str(file))


@pytest.mark.parametrize("variable", ["OUTLIVE_RECORDING", "TMPDIR"])
@pytest.mark.parametrize("command", ["top", "postmortem", "diagnose"])
def test_a_folder_whose_name_is_too_long(variable: str, command: str) -> None:
    refused(command, "4999999", **{variable: LONG})  # no pid is as high


@pytest.mark.parametrize("words", [("top",), ("report",), ("diagnose",), ("why", "dict"), ("snapshot",)])
def test_a_zombie_has_ended(words: tuple[str, ...], tmp_path: Path) -> None:
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    try:
        said = refused(*words, str(zombie.pid), OUTLIVE_RECORDING=str(tmp_path))
    finally:
        zombie.wait()
    assert f"process {zombie.pid} has ended: it is a zombie" in said
    assert said.endswith("; outlive postmortem")


@pytest.mark.parametrize("words", [("top",), ("report",), ("diagnose", "--trim")])
def test_a_process_without_outlive_can_be_attached_to(words: tuple[str, ...]) -> None:
    assert f"outlive attach {os.getpid()}" in refused(*words, str(os.getpid()))


@pytest.mark.parametrize("seconds", ["nan", "NaN", "-nan", "inf"])
def test_a_number_of_seconds_that_is_none(seconds: str) -> None:
    assert "--interval" in refused("top", "--interval", seconds, "1")
