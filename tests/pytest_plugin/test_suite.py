"""The whole suite: who peaks, who leaves something behind, who leaks; alone and with other plugins."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.pytest_plugin.session import session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SUITE = """
    import time
    import pytest
    KEPT = []

    @pytest.fixture
    def large():
        return bytes(5_000_000)

    def test_peaks(large):
        bytes(10_000_000)

    def test_keeps():
        KEPT.append(bytes(2_000_000))

    def test_nothing():
        time.sleep(0.3)

    def test_fails():
        raise AssertionError

    @pytest.mark.limit_peak("1 MB")
    def test_too_high():
        bytes(3_000_000)

    @pytest.mark.limit_growth("1 KiB", runs=20)
    def test_leaks():
        KEPT.append(bytearray(10_000))
"""
MIB = 1 << 20


def figures(folder: Path) -> dict[str, dict[str, Any]]:
    """The JSON's rows by test."""
    written = json.loads((folder / "memory.json").read_text())
    assert written["schema"] == 1
    return {row["test"].removeprefix("test_it.py::"): row for row in written["tests"]}


@pytest.mark.parametrize(
    ("plugins", "arguments"),
    [
        ((), ()),
        (("xdist",), ("-n", "2")),
        (("pytest_randomly",), ("-p", "randomly", "-p", "no:xdist")),
        (("pytest_memray.plugin",), ("--memray",)),
        (("pytest_cov.plugin",), ("--cov=.",)),
        (("pytest_timeout",), ("--timeout=100",)),
        (("pytest_asyncio.plugin",), ()),
    ],
    ids=["alone", "xdist", "randomly", "memray", "coverage", "timeout", "asyncio"],
)
def test_table_and_leaks(tmp_path: Path, plugins: Sequence[str], arguments: Sequence[str]) -> None:
    for plugin in plugins:
        pytest.importorskip(plugin.partition(".")[0])
    ini = "asyncio_default_fixture_loop_scope = function\n" if "pytest_asyncio.plugin" in plugins else ""
    summary = tmp_path / "summary.md"
    found = session(
        tmp_path,
        SUITE,
        "--outlive",
        "--outlive-json=memory.json",
        *(argument for argument in arguments if argument not in {"-p", "randomly", "no:xdist"}),
        plugins=plugins,
        ini=ini,
        GITHUB_STEP_SUMMARY=str(summary),
    )
    assert found.outcomes == {
        "test_peaks": ["passed"],
        "test_keeps": ["passed"],
        "test_nothing": ["passed"],
        "test_fails": ["failed"],
        "test_too_high": ["failed"],
        "test_leaks": ["failed"],
    }, found.output
    rows = figures(tmp_path)
    assert rows["test_peaks"]["peak_bytes"] == pytest.approx(15_000_000, rel=0.1)
    assert rows["test_keeps"]["left_bytes"] == pytest.approx(2_000_000, rel=0.2)
    assert rows["test_nothing"]["peak_bytes"] < MIB
    assert rows["test_too_high"]["peak_bytes"] == pytest.approx(3_000_000, rel=0.3)  # not what says so
    assert rows["test_nothing"]["seconds"] >= 0.3
    assert rows["test_leaks"]["verdict"] == "leak"
    assert rows["test_leaks"]["per_run_bytes"] == pytest.approx(10_057, rel=0.1)
    assert "memory (outlive)" in found.output
    assert "1 of 6 tests leak:" in found.output
    assert float(found.properties["test_peaks"]["outlive_peak_bytes"]) == rows["test_peaks"]["peak_bytes"]
    assert "- **leaks** 9." in summary.read_text()
    assert "| `test_it.py::test_peaks` | 14." in summary.read_text()


def test_every_test_is_repeated(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import pytest
        KEPT = []

        def test_leaks():
            KEPT.append(bytearray(20_000))

        def test_clean(tmp_path): ...

        @pytest.mark.limit_growth("100 KiB", runs=20)
        def test_may():
            KEPT.append(bytearray(20_000))
        """,
        "--outlive-leaks",
    )
    assert found.outcomes == {"test_leaks": ["failed"], "test_clean": ["passed"], "test_may": ["passed"]}
    assert "1 of 3 tests leak:" in found.output
    assert "20.5 KiB a run   test_it.py::test_leaks" in found.output or "19.6 KiB a run" in found.output


def test_within_memrays_tracker(tmp_path: Path) -> None:
    """Its hooks take memory while ours hold a lock: both once waited for ever."""
    pytest.importorskip("pytest_memray")
    found = session(
        tmp_path,
        """
        KEPT = []

        def test_part(outlive):
            outlive.assert_no_growth(lambda: KEPT.append(bytearray(5000)), runs=20, size="1 KiB")
        """,
        "--memray",
        plugins=["pytest_memray.plugin"],
    )
    assert found.outcomes == {"test_part": ["failed"]}, found.output
    assert "KEPT.append(bytearray(5000))" in found.failure("test_part")


def test_nobody_asked(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import sys

        def test_nothing_is_loaded():
            heavy = {"numpy", "duckdb", "jinja2", "outlive._native"}
            assert not heavy & set(sys.modules)
        """,
    )
    assert found.code == 0, found.output
    assert "memory (outlive)" not in found.output
