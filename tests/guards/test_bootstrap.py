"""script/bootstrap on machines that lack something: it says what, and never trusts half an environment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guards.checkout import ROOT

TOOLS = [
    "awk",
    "cat",
    "cksum",
    "cut",
    "date",
    "dirname",
    "find",
    "flock",
    "grep",
    "head",
    "mkdir",
    "rm",
    "sed",
]
TOOLS += ["sh", "sleep", "sort", "tail", "tr", "xargs", "cc", "as", "ld"]
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

# A Python that lacks something, made of this one: the patch runs before the script's own question.
LACKING = """#!/bin/sh
exec "{python}" -c 'import sys, sysconfig, importlib.util
{patch}
exec(sys.argv[1])' "$3"
"""
TOO_OLD = 'sys.version_info = (3, 9, 2, "final", 0)'
NO_VENV = "importlib.util.find_spec = lambda name: None"
NO_HEADERS = 'sysconfig.get_path = lambda name: "/nonexistent"'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A checkout that holds what the bootstrap reads, and a PATH in bin/ that has no Python."""
    root = tmp_path / "check out"
    shutil.copytree(ROOT / "script", root / "script")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, root)
    (root / "native").mkdir()
    (root / "src").mkdir()
    (root / "bin").mkdir()
    for tool in TOOLS:
        if found := shutil.which(tool):
            (root / "bin" / tool).symlink_to(found)
    return root


def bootstrap(root: Path, *, extra: str = "app", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [root / "script" / "bootstrap", extra],
        env={"PATH": str(root / "bin"), "HOME": str(root), "PIP_NO_INDEX": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def lacking(root: Path, patch: str) -> Path:
    python = root / "bin" / "python3"
    python.write_text(LACKING.format(python=sys.executable, patch=patch))
    python.chmod(0o755)
    return python


def test_no_python_at_all(project: Path) -> None:
    done = bootstrap(project)
    assert done.returncode == 2
    assert "apt-get install python3 python3-venv python3-dev" in done.stderr
    assert not (project / ".venv").exists()


@pytest.mark.parametrize(
    ("patch", "said"),
    [(TOO_OLD, "too old"), (NO_VENV, f"python{VERSION}-venv"), (NO_HEADERS, f"python{VERSION}-dev")],
)
def test_a_python_that_lacks_something(project: Path, patch: str, said: str) -> None:
    lacking(project, patch)
    done = bootstrap(project)
    assert done.returncode == 2
    assert said in done.stderr


def test_the_named_python_is_not_replaced_by_another(project: Path) -> None:
    (project / "bin" / "python3").symlink_to(sys.executable)
    done = bootstrap(project, PYTHON="/nonexistent/python")
    assert done.returncode == 2
    assert "PYTHON=/nonexistent/python" in done.stderr


def test_an_unknown_extra(project: Path) -> None:
    assert bootstrap(project, extra="all").returncode == 2


def test_a_compiler_that_compiles_nothing(project: Path) -> None:
    done = bootstrap(project, PYTHON=sys.executable, CC="false")
    assert done.returncode == 2
    assert "CC=false" in done.stderr


def test_a_half_made_environment_is_made_anew_and_a_failure_shows_its_log(project: Path) -> None:
    state = project / ".venv" / "outlive"
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    left_over = project / ".venv" / "left-over"
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").symlink_to(base)
    state.mkdir()
    (state / "python").write_text(f"root {project}\npython {base}\n")
    (state / "unfinished").touch()
    left_over.touch()

    done = bootstrap(project, PYTHON=sys.executable)  # there is no index, so nothing can be installed

    assert done.returncode == 1
    assert not left_over.exists()
    assert "ERROR: " in done.stderr  # pip's
    assert "scikit-build-core" in done.stderr
    assert str(state / "log") in done.stderr
    assert not (state / "installed").exists()
