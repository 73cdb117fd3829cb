"""What pytest and its plugins do around a test that is repeated: none of it may look like a leak."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.pytest_plugin.session import PATIENCE_SECONDS, session

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_test_hands_to_a_wider_fixture_is_closed_each_time(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import pytest
        OPENED, CLOSED = [], []

        @pytest.fixture(scope="session", autouse=True)
        def closed_in_the_end():
            yield
            assert OPENED == CLOSED[::-1] and len(OPENED) > 20

        @pytest.fixture(scope="module")
        def opened(request, closed_in_the_end):
            def one():
                OPENED.append(len(OPENED))
                request.addfinalizer(lambda number=OPENED[-1]: CLOSED.append(number))
            return one

        @pytest.mark.limit_growth("10 KiB", runs=20)
        def test_it(opened):
            opened()
        """,
    )
    assert found.outcomes == {"test_it": ["passed"]}, found.output


def test_warnings_and_logs(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import logging, warnings
        import pytest

        @pytest.mark.limit_growth("1 KiB", runs=20)
        def test_warns():
            for _ in range(20):
                warnings.warn("old", DeprecationWarning)

        @pytest.mark.limit_growth("1 KiB", runs=20)
        def test_logs():
            logging.warning("hello %s", "you")

        def test_function_that_logs(outlive, caplog):
            logging.warning("before")
            outlive.assert_no_growth(lambda: logging.warning("hello %s", "you"))
            assert caplog.messages == ["before"]
        """,
    )
    assert found.code == 0, found.output
    assert " 20 warnings" in found.output


def test_a_class_with_hypothesis(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import pytest
        from hypothesis import given, settings, strategies

        class TestIt:
            @pytest.mark.limit_growth("20 KiB", runs=20)
            @settings(max_examples=3)
            @given(strategies.booleans())
            def test_it(self, value): ...
        """,
        plugins=["_hypothesis_pytestplugin"],
    )
    assert found.outcomes == {"test_it": ["passed"]}, found.output


def test_a_folder_that_is_called_as_a_tool_is(tmp_path: Path) -> None:
    (tmp_path / "coverage").mkdir()
    (tmp_path / "coverage" / "claims.py").write_text(
        "KEPT = []\ndef add():\n    KEPT.append(bytes(30_000))\n"
    )
    found = session(
        tmp_path,
        """
        import importlib.util
        import pytest
        spec = importlib.util.spec_from_file_location("claims", "coverage/claims.py")
        claims = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(claims)

        @pytest.mark.limit_growth("10 KiB", runs=20)
        def test_it():
            claims.add()
        """,
    )
    assert found.outcomes == {"test_it": ["failed"]}, found.output
    assert "claims.py:3" in found.failure("test_it")


def test_pytest_within_an_import(tmp_path: Path) -> None:
    (tmp_path / "runs_it.py").write_text(
        "import pytest\nCODE = pytest.main(['-q', '-p', 'no:cacheprovider', 'test_it.py'])\n"
    )
    (tmp_path / "test_it.py").write_text(
        "import pytest\nKEPT = []\n"
        "@pytest.mark.limit_growth('10 KiB', runs=20)\n"
        "def test_it():\n    KEPT.append(bytes(30_000))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import runs_it; raise SystemExit(runs_it.CODE)"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "test_it.py:5  KEPT.append(bytes(30_000))" in ended.stdout


def test_the_first_failure_ends_the_session(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import pytest

        @pytest.fixture(scope="module")
        def module():
            yield
            raise OSError("module down")

        @pytest.mark.limit_growth("10 KiB")
        def test_fails(module):
            raise ValueError("it fails")

        def test_other(module): ...
        """,
        "-x",
    )
    assert found.outcomes == {"test_fails": ["failed", "error"]}, found.output
    assert "it fails" in found.output
    assert "module down" in found.output
    assert "1 failed, 1 error" in found.output


def test_doctests_are_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "documented.py").write_text('"""\n>>> import math\n>>> math.floor(PI)\n3\n"""\nPI = 3.14\n')
    found = session(tmp_path, "def test_it(): ...", "--outlive-leaks", "--doctest-modules", ".")
    assert found.code == 0, found.output


def test_file_descriptors_run_short(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import os, resource
        import pytest
        resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))
        KEPT = []

        @pytest.mark.limit_growth("10 KiB")
        def test_files():
            KEPT.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(4))

        def test_after(): ...
        """,
    )
    assert found.outcomes == {"test_files": ["failed"], "test_after": ["passed"]}, found.output
    assert "file descriptors: each run left one more" in found.failure("test_files")


def test_outlive_run_still_knows_the_peak(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\nKEPT = []\n"
        "def test_before():\n    bytearray(40_000_000)\n"
        "@pytest.mark.limit_peak('90 MB')\ndef test_it():\n    bytearray(80_000_000)\n"
    )
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "outlive",
            "run",
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "test_it.py",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    said = ended.stdout + ended.stderr
    assert "2 passed" in said
    _, _, after = said.partition("peak Python ")
    assert 80_000_000 / (1 << 20) < float(after.split()[0]) < 160, said
