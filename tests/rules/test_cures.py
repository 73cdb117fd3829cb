"""Each rule's code: the one before leaks and is recognised by its rule alone, the one after does not leak."""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from outlive.rules import ALL, BY_NUMBER, match
from tests.rules.cures import AROUND
from tests.rules.observing import fired, observe

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from outlive.rules import Rule

PATIENCE_SECONDS = 120
# Rules that fit too, and come after: what a path is besides.
ALSO = {
    "L02": {"L04"},
    "L03": {"L02", "L09"},
    "L12": {"L04"},
    "L13": {"L04"},
    "L14": {"L04"},
    "L15": {"L04"},
    "L19": {"L04"},
    "L20": {"L04", "L18", "L19"},
    "L22": {"L07"},
    "B04": {"L04"},
}


class Sink:
    """A file that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)


def skip_without(needs: tuple[str, ...]) -> None:
    for name in needs:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")


def written(number: str, code: str, folder: Path) -> Path:
    skip_without(AROUND[number].needs)
    program = folder / f"{number.lower()}_program.py"
    program.write_text(AROUND[number].program(code), encoding="utf-8")
    return program


def counts(program: Path, folder: Path) -> list[int]:
    """How many objects are alive after half of the runs, and after all."""
    found = folder / "counts.json"
    child = subprocess.run(
        [sys.executable, program],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, "CURES_COUNTS": str(found)},
    )
    assert child.returncode == 0, child.stderr[-4000:]
    half, whole = json.loads(found.read_text())
    return [half, whole]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.number)
def test_code_compiles_and_every_field_says_something(rule: Rule) -> None:
    for name, code in (("before", rule.before), ("after", rule.after)):
        compile(code, f"{rule.number} {name}", "exec")
    assert rule.before != rule.after
    for text in (rule.title, rule.told, rule.cure):
        assert text
        assert "\n" not in text
    assert rule.bounded is (rule.verdict == "bounded growth")


@pytest.mark.parametrize("number", AROUND)
def test_before_leaks_by_every_run(number: str, tmp_path: Path) -> None:
    half, whole = counts(written(number, BY_NUMBER[number].before, tmp_path), tmp_path)
    assert whole - half >= 20


@pytest.mark.parametrize("number", AROUND)
def test_after_does_not(number: str, tmp_path: Path) -> None:
    half, whole = counts(written(number, BY_NUMBER[number].after, tmp_path), tmp_path)
    assert abs(whole - half) <= 1


@pytest.mark.parametrize("number", sorted(set(AROUND) - {"L25"}))
def test_before_is_recognised_and_by_no_other_rule(number: str, tmp_path: Path) -> None:
    evidence = observe(written(number, BY_NUMBER[number].before, tmp_path), tmp_path, AROUND[number].made)
    told = "\n".join(f"{one.count} {one.text}" for one in evidence.holders)
    found = match(evidence, BY_NUMBER[number].verdict)
    assert found is not None, told
    assert found.rule.number == number, told
    assert found.reason
    if number != "L06":
        assert set(fired(evidence, ALL)) - {number} <= ALSO.get(number, set()), told


def peak(code: str, rows: object) -> int:
    namespace: dict[str, Any] = {}
    exec(code, namespace)  # noqa: S102 - the rule's own code
    tracemalloc.start()
    namespace["export"](rows, Sink())
    try:
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_streamed_query_has_a_fraction_of_the_peak() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE activity (line TEXT)")
        connection.executemany("INSERT INTO activity VALUES (?)", (("x" * 100,) for _ in range(50_000)))
        rule = BY_NUMBER["L01"]
        assert peak(rule.after, connection.cursor()) < peak(rule.before, connection.cursor()) / 5


def test_a_streamed_file_has_a_fraction_of_the_peak() -> None:
    rule = BY_NUMBER["L24"]
    assert peak(rule.after, range(50_000)) < peak(rule.before, range(50_000)) / 5


def test_a_pool_is_as_large_as_its_code_says() -> None:
    skip_without(("sqlalchemy",))
    sizes = []
    for code in (BY_NUMBER["B03"].before, BY_NUMBER["B03"].after):
        namespace: dict[str, Any] = {}
        exec(code, namespace)  # noqa: S102 - the rule's own code
        sizes.append(namespace["connect"]("sqlite:///file:x?uri=true").pool.size())
    assert sizes == [100, 5]
