"""Tests as runs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.capture.recorded import Place

SUITE = """
import pytest
kept = []
@pytest.fixture
def fixture():
    kept.append(bytes(200_000))
@pytest.mark.parametrize("n", range(3))
def test_parameters(fixture, n):
    kept.append(bytes(300_000))
class TestOf:
    def test_method(self):
        kept.append(bytes(400_000))
def test_failing():
    kept.append(bytes(500_000))
    assert False
def test_skipped():
    pytest.skip()
"""


def test_each_test_is_a_run(place: Place, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text("import outlive\noutlive.start('1 KiB')\n")
    (tmp_path / "test_suite.py").write_text(SUITE)
    child = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "outlive.integrations.pytest", "-p", "no:cacheprovider", "-q"],
        cwd=tmp_path,
        env=place.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "1 failed, 4 passed, 1 skipped" in child.stdout, child
    (recording,) = place.recordings().values()
    assert {row.name: (row.began, row.ended) for row in recording.scopes.values()} == {
        "test_suite.py::test_parameters": (3, 3),
        "test_suite.py::TestOf::test_method": (1, 1),
        "test_suite.py::test_failing": (1, 1),
        "test_suite.py::test_skipped": (1, 1),
    }
    sizes = {n * 100_000 + b"".__sizeof__() for n in range(2, 6)}
    found = sorted(
        (sample.size // 100_000, recording.scopes[sample.scope].name if sample.scope else "", sample.run)
        for sample in recording.samples
        if sample.size in sizes
    )
    assert found == [
        *[(2, "", 0)] * 3,  # of a fixture
        *[(3, "test_suite.py::test_parameters", run) for run in (1, 2, 3)],
        (4, "test_suite.py::TestOf::test_method", 1),
        (5, "test_suite.py::test_failing", 1),
    ]
