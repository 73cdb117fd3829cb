"""What an adversary found: odd functions, odd moments, odd neighbours. Each was wrong once."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

import outlive
from tests.capture.conftest import Lines, is_true

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Endless:
    """Answers with itself to the attribute that wrappers have."""

    def __init__(self) -> None:
        """Make the circle."""
        self.func = self

    def __call__(self) -> None:
        """Be callable, as wrappers are."""


@pytest.mark.parametrize("thing", [Mock(), Endless()])
def test_an_object_without_an_innermost_function_is_refused(thing: object) -> None:
    with pytest.raises(TypeError, match="needs a function written in Python"):
        outlive.profile(thing)  # type: ignore[type-var]


def test_numpy_resizes(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import numpy
        import outlive

        @outlive.profile
        def work():
            array = numpy.zeros(1_000_000)  # made
            array.resize(2_000_000, refcheck=False)  # resized
            return array

        result = work()
        """
    )
    assert is_true(lines.at("made")["increment_bytes"], 8_000_000)
    assert is_true(lines.at("resized")["increment_bytes"], 8_000_000)


def test_growth_of_small_lists_from_before_is_never_overstated(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import outlive
        data = [[None] * 60 for _ in range(20_000)]

        @outlive.profile
        def work():
            for each in data:
                each.append(None)  # grown

        work()
        """
    )
    # From 480 bytes to 576 each; what a small old block had is not known, so it counts as 512.
    assert 0 <= lines.at("grown")["increment_bytes"] <= 20_000 * 96


def test_a_line_goes_on_after_what_it_awaited_caught_the_cancellation(
    run_lines: Callable[..., Lines],
) -> None:
    lines = run_lines(
        """
        import asyncio
        import outlive

        async def fetch():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                return None

        @outlive.profile
        async def work():
            rows = [await fetch()] * 1_000_000  # rows
            return rows

        async def main():
            task = asyncio.ensure_future(work())
            await asyncio.sleep(0)
            task.cancel()
            return await task

        result = asyncio.run(main())
        """
    )
    assert is_true(lines.at("rows")["increment_bytes"], 8_000_000)


def test_lines_after_a_debugger_let_go(run_lines: Callable[..., Lines]) -> None:
    lines = run_lines(
        """
        import io, pdb
        import outlive

        @outlive.profile
        def work():
            first = bytearray(1_000_000)  # first
            pdb.Pdb(stdin=io.StringIO("c\\n"), stdout=io.StringIO(), readrc=False).set_trace()
            second = bytearray(2_000_000)  # second
            third = bytearray(3_000_000)  # third
            return first, second, third

        result = work()
        """
    )
    assert is_true(lines.at("first")["increment_bytes"], 1_000_000)
    assert is_true(lines.at("third")["increment_bytes"], 3_000_000)


def test_the_report_never_lands_in_a_file_of_the_programs(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, outlive\n"
        "@outlive.profile\n"
        "def work(): return bytearray(1000)\n"
        "work()\n"
        "os.close(1)\n"
        "os.write(os.open('precious.db', os.O_WRONLY | os.O_CREAT), b'HEADER')\n",
        encoding="utf-8",
    )
    for words in ([], ["-m", "outlive", "run"]):
        subprocess.run([sys.executable, *words, program.name], cwd=tmp_path, capture_output=True, check=True)
        assert (tmp_path / "precious.db").read_bytes() == b"HEADER"


@pytest.mark.parametrize(
    "environment", [{"PYTHONMALLOC": "malloc"}, {"PYTHONDEVMODE": "1"}, {"PYTHONTRACEMALLOC": "1"}]
)
def test_the_peak_is_known_under_other_allocators(
    run_lines: Callable[..., Lines], monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    lines = run_lines("kept = [bytes(100) for _ in range(100_000)] + [bytearray(5_000_000)]\n")
    # 13.3 MB of bytes, 5 MB of bytearray, two lists of 0.8 MB (one over-allocated by an eighth at most)
    assert 19_890_000 <= lines.profile["peak_python_bytes"] <= 20_100_000 * 1.01


def test_files_that_never_came_are_named(run_lines: Callable[..., Lines], tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("x = 1\n", encoding="utf-8")
    lines = run_lines("kept = bytearray(1_000_000)\n", "--lines", "*.py")
    (note,) = lines.profile["notes"]
    assert os.path.realpath(tmp_path / "other.py") in note
    assert "program.py" not in note


def test_import_hooks_set_meanwhile_are_left_alone() -> None:
    program = """
import outlive
from importlib import machinery
outlive.start()
mine = lambda self, name: None
machinery.SourceFileLoader.get_code = mine
machinery.ExtensionFileLoader.exec_module = mine
outlive.stop()
assert machinery.SourceFileLoader.get_code is mine
assert machinery.ExtensionFileLoader.exec_module is mine
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_sampling_goes_on_after_many_thousand_lines() -> None:
    program = """
import outlive
outlive.start("64 KiB")
source = "".join(f"def f{i}(): return len(bytearray(3_000_000))\\n" for i in range(9_000))
names = {}
exec(compile(source, "many.py", "exec"), names)
for i in range(9_000):
    names[f"f{i}"]()
def leak(): return bytearray(50_000_000)
kept = leak()
top = outlive.sites(1)[0]
assert top.function == "leak" and top.in_use.low <= 50_000_001 <= top.in_use.high, top
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_file_name_that_is_no_text_does_not_stop_the_answer() -> None:
    program = """
import outlive
outlive.start(64)
names = {}
exec(compile("def f(): return bytearray(100_000)", "/srv/\\udcff/x.py", "exec"), names)
kept = names["f"]()
assert any(site.file.startswith("/srv/") for site in outlive.sites(None))
"""
    subprocess.run([sys.executable, "-c", program], check=True)
