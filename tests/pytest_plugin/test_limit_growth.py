"""Tests with a limit to their growth, in real sessions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.pytest_plugin.session import session

if TYPE_CHECKING:
    from pathlib import Path

LEAST_RUNS = 23  # of a clean test


def test_who_leaks_fails_and_says_line_holder_and_cure(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import pytest
        KEPT = []

        @pytest.fixture
        def number(tmp_path, monkeypatch, capsys):
            monkeypatch.chdir(tmp_path)
            yield len(KEPT)

        @pytest.mark.limit_growth("1 KiB")
        def test_leaks(number):
            print("said")
            KEPT.append(bytearray(10_000))  # made here

        @pytest.mark.limit_growth("1 KiB")
        def test_clean(number):
            assert len(bytearray(10_000)) == 10_000

        @pytest.mark.limit_growth("20 KiB")
        def test_may(number):
            KEPT.append(bytearray(10_000))
        """,
    )
    assert found.outcomes == {"test_leaks": ["failed"], "test_clean": ["passed"], "test_may": ["passed"]}
    text = found.failure("test_leaks")
    first, *_ = text.splitlines()[1:]
    assert "LEAK   test_it.py::test_leaks   9." in first, text
    assert "the limit is 1.0 KiB" in first
    assert "made    test_it.py:13  KEPT.append(bytearray(10_000))  # made here" in text
    assert "held    module test_it → KEPT → list[" in text
    assert "→ bytearray" in text
    assert "(L04)" in text
    assert "cure    give it a limit" in text
    leak = found.properties["test_leaks"]
    assert leak["outlive_verdict"] == "leak"
    assert float(leak["outlive_memory_per_run"]) == pytest.approx(10_057, rel=0.05)
    assert int(leak["outlive_runs"]) == 453
    assert LEAST_RUNS <= int(found.properties["test_clean"]["outlive_runs"]) <= 150


def test_fixtures_are_set_up_as_their_scope_says(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import pytest, unittest
        COUNTS = {}

        def count(what):
            COUNTS[what] = COUNTS.get(what, 0) + 1

        @pytest.fixture(scope="session")
        def of_session():
            count("session")
            yield
            count("session down")

        @pytest.fixture(scope="module")
        def of_module(of_session):
            count("module")
            yield
            count("module down")

        @pytest.fixture(scope="class")
        def of_class(of_module):
            count("class")
            yield
            count("class down")

        @pytest.fixture(params=["a", "b"])
        def of_test(request, of_class):
            count("test " + request.param)
            yield request.param
            count("test down")

        class TestIt:
            @pytest.mark.limit_growth("100 KiB", runs=20)
            @pytest.mark.parametrize("n", [1, 2])
            def test_runs(self, of_test, n):
                assert not hasattr(self, "seen")  # an instance of its own each time
                self.seen = True
                count(f"run {of_test}{n}")

        class TestCase(unittest.TestCase):
            def setUp(self):
                count("setUp")

            @pytest.mark.limit_growth("100 KiB", runs=20)
            def test_case(self):
                count("case")

        def test_after():
            runs = {name: COUNTS.pop(f"run {name}") for name in ("a1", "a2", "b1", "b2")}
            assert min(runs.values()) >= 20
            assert COUNTS.pop("test a") == runs["a1"] + runs["a2"]
            assert COUNTS.pop("test b") == runs["b1"] + runs["b2"]
            assert COUNTS.pop("test down") == sum(runs.values())
            assert COUNTS.pop("setUp") == COUNTS.pop("case") >= 20
            assert COUNTS == {"session": 1, "module": 1, "class": 1, "class down": 1}
        """,
    )
    assert found.code == 0, found.output
    assert len(found.outcomes) == 6


def test_a_test_that_does_not_pass_is_as_it_was(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import pytest
        RUNS = []
        pytestmark = pytest.mark.limit_growth("1 KiB", runs=20)

        def test_fails():
            assert RUNS.append(1)

        def test_skips():
            pytest.skip("not today")

        @pytest.mark.skip(reason="never")
        def test_is_skipped(): ...

        @pytest.mark.xfail
        def test_is_expected_to_fail():
            raise ValueError

        def test_fails_later():
            print("out of the run")
            RUNS.append(1)
            assert len(RUNS) % 5, "the fourth"

        @pytest.fixture
        def broken():
            yield
            raise OSError("down")

        def test_teardown(broken): ...

        @pytest.fixture(scope="module")
        def module():
            yield
            raise OSError("module down")

        def test_module_fixture(module): ...

        @pytest.mark.xfail(strict=True)
        def test_is_expected_to_leak():
            RUNS.append(bytearray(10_000))
        """,
    )
    assert found.outcomes == {
        "test_fails": ["failed"],
        "test_skips": ["skipped"],
        "test_is_skipped": ["skipped"],
        "test_is_expected_to_fail": ["skipped"],
        "test_fails_later": ["failed"],
        "test_teardown": ["error"],
        "test_module_fixture": ["passed"],
        "test_is_expected_to_leak": ["skipped", "skipped"],  # and its module fixture's end, as pytest has it
    }, found.output
    assert "this was run 4 of the test" in found.failure("test_fails_later")
    captured = found.failure("test_fails_later").partition("Captured stdout call")[2]
    assert captured.count("out of the run") == 1  # that run's, not all runs'
    assert "XFAIL" in found.output
    assert "LEAK" not in found.failure("test_fails_later")


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ('limit_growth("10 KB/run")', '"64 KiB"'),
        ("limit_growth(-1)", "it must be 0 or more"),
        ("limit_growth()", "missing 1 required positional argument: 'size'"),
        ('limit_growth("1 KiB", runs=0)', "runs=0 is not a number of runs"),
        ("limit_growth(True)", "True is not a size"),
        ('limit_growth("1 KiB", runs=10**9)', "write 1 to 100,000"),
        ('limit_growth("1 KiB", runs="many")', "runs='many' is not a number of runs"),
        ('limit_growth("1 KiB", warmup=-1)', "warmup=-1 is not a number of runs"),
        ('limit_growth("1 KiB", rounds=3)', "unexpected keyword argument 'rounds'"),
        ("limit_peak(0)", "at least one byte"),
        ('limit_peak("much")', "'much' is not a size"),
    ],
)
def test_a_mark_that_makes_no_sense(tmp_path: Path, mark: str, said: str) -> None:
    source = f"import pytest\n@pytest.mark.{mark}\ndef test_it():\n    raise SystemExit\n"
    found = session(tmp_path, source)
    assert found.outcomes == {"test_it": ["error"]}, found.output
    assert said in found.output
    assert f"@pytest.mark.{mark.partition('(')[0]}: " in found.output
    assert "Traceback" not in found.output


@pytest.mark.parametrize(
    ("ini", "outcome"), [("", "skipped"), ("outlive_not_enough_data = fail\n", "failed")]
)
def test_too_few_runs_are_not_enough_data(tmp_path: Path, ini: str, outcome: str) -> None:
    found = session(
        tmp_path,
        """
        import pytest
        KEPT = []

        @pytest.mark.limit_growth("1 KiB", runs=5)
        def test_few():
            KEPT.append(bytearray(10_000))
        """,
        ini=ini,
    )
    assert found.outcomes == {"test_few": [outcome]}
    assert "not enough data: 5 runs were asked for; it takes 20" in found.output


@pytest.mark.parametrize(
    "ini",
    ["outlive_not_enough_data = maybe\n", "outlive_ignore = no colon here\n", "outlive_ignore =\n  name:\n"],
)
def test_settings_that_make_no_sense(tmp_path: Path, ini: str) -> None:
    found = session(tmp_path, "def test_it(): ...", ini=ini)
    assert found.code == 4, found.output
    assert "outlive_" in found.output
    assert "Traceback" not in found.output


def test_other_things_than_memory(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import asyncio, mmap, os, threading
        import pytest
        KEPT = []
        pytestmark = pytest.mark.limit_growth("64 KiB", runs=20)
        LOOP = asyncio.new_event_loop()

        def test_file():
            KEPT.append(os.open(os.devnull, os.O_RDONLY))

        def test_thread():
            end = threading.Event()
            KEPT.append(end)
            threading.Thread(target=end.wait, name="stays", daemon=True).start()

        async def waits():
            await asyncio.Event().wait()

        def test_task():
            KEPT.append(LOOP.create_task(waits()))
            LOOP.call_soon(LOOP.stop)
            LOOP.run_forever()

        def test_mapping():
            mapping = mmap.mmap(-1, 1 << 18)
            mapping.write(bytes(1 << 18))
            KEPT.append(mapping)

        def test_after():
            for each in KEPT:
                if isinstance(each, threading.Event):
                    each.set()
        """,
    )
    assert [name for name, said in found.outcomes.items() if said == ["failed"]] == [
        "test_file",
        "test_thread",
        "test_task",
        "test_mapping",
    ], found.output
    assert "file descriptors: each run left one more; most are /dev/null ×" in found.failure("test_file")
    assert "threads: each run left one more; most are stays ×" in found.failure("test_thread")
    assert "asyncio tasks: each run left one more; most are waits ×" in found.failure("test_task")
    assert re.search(r"256\.\d KiB( ± [\d.]+)? of mapped memory a run", found.failure("test_mapping"))


def test_a_large_leak_ends_early(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import ctypes
        import pytest
        libc = ctypes.CDLL(None)
        libc.malloc.restype = ctypes.c_void_p

        @pytest.mark.limit_growth("1 MiB")
        def test_native():
            block = libc.malloc(ctypes.c_size_t(100_000_000))
            ctypes.memset(block, 0, 4096)  # one page: the rest is not there
        """,
    )
    assert found.outcomes == {"test_native": ["failed"]}, found.output
    assert int(found.properties["test_native"]["outlive_runs"]) < 80
    assert "95.4 MiB" in found.failure("test_native")


def test_known_noise_is_no_leak(tmp_path: Path) -> None:
    (tmp_path / "vendored.py").write_text("KEPT = []\ndef call():\n    KEPT.append(bytearray(10_000))\n")
    source = """
        import pytest, sys
        sys.path.insert(0, ".")
        import vendored

        @pytest.mark.limit_growth("1 KiB", runs=20)
        def test_it():
            vendored.call()
        """
    assert session(tmp_path, source).outcomes == {"test_it": ["failed"]}
    found = session(tmp_path, source, ini="outlive_ignore =\n    our vendor: */vendored.py\n")
    assert found.outcomes == {"test_it": ["passed"]}, found.output


@pytest.mark.parametrize(("plugin", "mark"), [("anyio", "anyio"), ("pytest_asyncio.plugin", "asyncio")])
def test_async_tests(tmp_path: Path, plugin: str, mark: str) -> None:
    pytest.importorskip(plugin)
    found = session(
        tmp_path,
        f"""
        import asyncio
        import pytest
        KEPT = []

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.{mark}
        @pytest.mark.limit_growth("1 KiB", runs=20)
        async def test_leaks():
            await asyncio.sleep(0)
            KEPT.append(bytearray(9_000))

        @pytest.mark.{mark}
        @pytest.mark.limit_growth("1 KiB", runs=20)
        async def test_clean():
            await asyncio.sleep(0)
        """,
        plugins=[plugin],
        ini="asyncio_default_fixture_loop_scope = function\n" if mark == "asyncio" else "",
    )
    assert found.outcomes == {"test_leaks": ["failed"], "test_clean": ["passed"]}, found.output
    assert "KEPT.append(bytearray(9_000))" in found.failure("test_leaks")


def test_hypothesis(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import pytest
        from hypothesis import given, settings, strategies
        KEPT = []

        @pytest.mark.limit_growth("20 KiB", runs=20)
        @settings(max_examples=5)
        @given(strategies.integers())
        def test_clean(n):
            assert n == n

        @pytest.mark.limit_growth("20 KiB", runs=20)
        @settings(max_examples=5)
        @given(strategies.integers())
        def test_leaks(n):
            KEPT.append(bytearray(10_000))
        """,
        plugins=["_hypothesis_pytestplugin"],
    )
    assert found.outcomes == {"test_clean": ["passed"], "test_leaks": ["failed"]}, found.output
    assert "KEPT.append(bytearray(10_000))" in found.failure("test_leaks")


def test_ctrl_c_ends_it_and_leaves_nothing(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import os, signal
        import pytest
        RUNS = []

        @pytest.mark.limit_growth("1 KiB", runs=20)
        def test_it():
            RUNS.append(bytearray(10_000))
            if len(RUNS) == 60:  # while it is sampled
                os.kill(os.getpid(), signal.SIGINT)
        """,
        TMPDIR=str(tmp_path),
    )
    assert found.code == 2, found.output
    assert not list(tmp_path.glob("outlive-*"))


def test_the_host_is_as_it_was(tmp_path: Path) -> None:
    found = session(
        tmp_path,
        """
        import gc, os, threading
        import pytest
        from outlive.capture.core import native
        KEPT = []

        def test_before():
            KEPT.append((gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), os.getcwd()))

        @pytest.mark.limit_growth("1 KiB", runs=20)
        def test_leaks():
            KEPT.append(bytearray(10_000))

        def test_after():
            assert KEPT[0] == (gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), os.getcwd())
            assert native.mode() == 0
            assert [thread.name for thread in threading.enumerate()] == ["MainThread"]
        """,
    )
    assert found.outcomes == {"test_before": ["passed"], "test_leaks": ["failed"], "test_after": ["passed"]}
