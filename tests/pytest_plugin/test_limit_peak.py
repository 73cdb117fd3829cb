"""Peaks: of tests, of parts of tests, Python's and native."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.pytest_plugin.session import session

if TYPE_CHECKING:
    from pathlib import Path


def test_python_and_native_and_both(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import sqlite3
        import numpy
        import pytest
        BEFORE = bytes(50_000_000)  # no test's

        @pytest.mark.limit_peak("3 MB")
        def test_python():
            for _ in range(5):
                bytearray(4_000_000)  # gone at once

        @pytest.mark.limit_peak("5 MB")
        def test_one_at_a_time():
            for _ in range(5):
                bytearray(4_000_000)

        @pytest.mark.limit_peak("3 MB")
        def test_numpy():
            numpy.ones(500_000)

        @pytest.mark.limit_peak("3 MB")
        def test_sqlite():
            with sqlite3.connect(":memory:") as connection:
                connection.execute("create table t(x)")
                connection.executemany("insert into t values (?)", ((bytes(1000),) for _ in range(5000)))
            connection.close()

        @pytest.mark.limit_peak("3 MB")
        def test_small_objects():
            [object() for _ in range(300_000)]

        @pytest.fixture
        def large():
            return bytearray(10_000_000)

        @pytest.mark.limit_peak("3 MB")
        def test_fixtures_come_before(large): ...
        """,
    )
    assert found.outcomes == {
        "test_python": ["failed"],
        "test_one_at_a_time": ["passed"],
        "test_numpy": ["failed"],
        "test_sqlite": ["failed"],
        "test_small_objects": ["failed"],
        "test_fixtures_come_before": ["passed"],
    }, found.output
    text = found.failure("test_python")
    assert "PEAK   test_it.py::test_python   3.8 MiB over its start, Python's and native" in text
    assert "the limit is 2.9 MiB" in text
    assert "made    test_it.py:10  bytearray(4_000_000)  # gone at once   allocated 19." in text
    assert "test_it.py:19  numpy.ones(500_000)" in found.failure("test_numpy")


def test_parts_of_a_test(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import pytest

        def test_part(outlive):
            before = bytes(10_000_000)
            with outlive.limit_peak("2 MB"):
                bytes(1_000_000)
            after = bytes(10_000_000)
            with outlive.limit_peak("20 MB"), outlive.limit_peak("2 MB"):
                bytes(3_000_000)

        def test_own_error_comes_first(outlive):
            with pytest.raises(ValueError), outlive.limit_peak("2 MB"):
                bytes(3_000_000)
                raise ValueError

        @pytest.mark.limit_peak("5 MB")
        def test_within(outlive):
            with outlive.limit_peak("2 MB"):
                bytes(1_000_000)
            bytes(6_000_000)

        @pytest.mark.limit_growth("1 KiB")
        @pytest.mark.limit_peak("1 MB")
        def test_both():
            bytes(3_000_000)

        def test_bad_size(outlive):
            with outlive.limit_peak("2 QB"): ...
        """,
    )
    assert found.outcomes == {
        "test_part": ["failed"],
        "test_own_error_comes_first": ["passed"],
        "test_within": ["failed"],
        "test_both": ["failed"],
        "test_bad_size": ["failed"],
    }, found.output
    assert "2.9 MiB over its start" in found.failure("test_part")
    assert "5.7 MiB over its start" in found.failure("test_within")
    assert "UsageError: '2 QB' is not a size" in found.failure("test_bad_size")
