"""outlive's own memory, by its own means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import outlive
from outlive.diagnose.findings import findings
from outlive.recording.reader import read

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = "4 KiB"


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("memory") / "own.outlive"
    outlive.start("1 KiB", recording=path)
    kept = []
    for _ in range(30):
        with outlive.scope("work"):
            kept.append([bytes(100) for _ in range(100)])
    outlive.stop()
    return path


@pytest.fixture(scope="module")
def heap(tmp_path_factory: pytest.TempPathFactory) -> str:
    return outlive.snapshot(tmp_path_factory.mktemp("memory") / "own.heap")


@pytest.mark.limit_growth(LIMIT, runs=20)
def test_start_scope_and_stop(tmp_path: Path) -> None:
    outlive.start("64 KiB", recording=tmp_path / "own.outlive")
    with outlive.scope("work", tenant="acme"):
        bytes(100_000)
    outlive.stop()


@pytest.mark.limit_growth(LIMIT, runs=20)
def test_reading_and_judging_a_recording(recording: Path) -> None:
    assert findings(read(recording))


@pytest.mark.limit_growth(LIMIT, runs=20)
def test_opening_and_asking_a_snapshot(heap: str) -> None:
    assert outlive.open(heap).census(limit=3)


@pytest.mark.limit_growth(LIMIT, runs=20)
def test_where_memory_goes() -> None:
    assert outlive.breakdown().rss
