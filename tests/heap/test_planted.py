"""Planted leaks: programs of tests/programs say in their docstrings who holds what; `why` says so too."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

import outlive
from tests.guards.checkout import ROOT
from tests.heap.told import first_missing

if TYPE_CHECKING:
    from pathlib import Path

    from outlive.model.heap import Holder

LONG = os.environ.get("OUTLIVE_LONG") == "1"  # the full numbers, minutes instead of seconds
CROWDS = [0, 1_000_000] if LONG else [20_000]
CROWD_FOLDER = ROOT / "tests" / "heap" / "crowd"
PATIENCE_SECONDS = 600

TRUTH = re.compile(r"^(\d+) held by ([a-z ]+): (.+)$", re.MULTILINE)
NEEDS = re.compile(r"^Needs (\S+) ?(\S*)$", re.MULTILINE)


@dataclass(frozen=True)
class Truth:
    """How many objects are held, by roots of which kinds, and the words on the way to them, in order."""

    count: int
    kinds: tuple[str, ...]
    words: tuple[str, ...]


def truths_of(program: Path) -> list[Truth]:
    """What the docstring says: "3 held by module or thread: __main__ → CACHE → {here}", a line each.

    {here} is the line that ends in the comment "# here". Of several truths, any will do.
    """
    source = program.read_text(encoding="utf-8")
    marks = {
        found[1]: f"{program.name}:{number}"
        for number, line in enumerate(source.splitlines(), 1)
        if (found := re.search(r"  # (\w+)$", line))
    }
    return [
        Truth(
            int(count),
            tuple(kinds.split(" or ")),
            tuple(re.sub(r"\{(\w+)\}", lambda found: marks[found[1]], words).split(" → ")),
        )
        for count, kinds, words in TRUTH.findall(docstring(program))
    ]


def docstring(program: Path) -> str:
    return ast.get_docstring(ast.parse(program.read_text(encoding="utf-8"))) or ""


def skip_without_needs(program: Path) -> None:
    for what, version in NEEDS.findall(docstring(program)):
        if what == "python":
            if sys.version_info < tuple(map(int, version.split("."))):
                pytest.skip(f"is of Python {version} and later")
        elif importlib.util.find_spec(what) is None:
            pytest.skip(f"{what} is not installed")


def lies(holder: Holder, truth: Truth) -> str:
    """What `why` says that is not so, or does not say; "" if nothing."""
    if holder.root.kind not in truth.kinds:
        return f"no root of kind {' or '.join(truth.kinds)}"
    if holder.root.kind in {"module", "thread", "task"} and truth.words[0] not in holder.root.name:
        return f"the root is not called {truth.words[0]}"
    if holder.count != truth.count:
        return f"{holder.count} objects for {truth.count}"
    for text in (holder.text, " → ".join(holder.path)):
        if (word := first_missing(truth.words, text)) is not None:
            return f"without {word}, or not in this order: {text}"
    return ""


PROGRAMS = [
    path for path in sorted((ROOT / "tests" / "programs").glob("*.py")) if TRUTH.search(docstring(path))
]


def test_there_are_as_many_programs_as_patterns() -> None:
    assert len(PROGRAMS) >= 80


@pytest.mark.parametrize("crowd", CROWDS)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_why_names_root_and_path(program: Path, crowd: int, tmp_path: Path) -> None:
    skip_without_needs(program)
    place = tmp_path / "planted.heap"
    child = subprocess.run(
        [sys.executable, "-X", "faulthandler", program, place],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        env={
            **os.environ,
            "PYTHONPATH": str(CROWD_FOLDER),
            "OUTLIVE_CROWD": str(crowd),
        },
    )
    assert child.returncode == 0, (child.returncode, child.stderr[-4000:])
    snapshot = outlive.open(place)
    assert snapshot.info.objects > crowd
    holders = snapshot.why("__main__.Leaked")
    assert holders
    wrong = [lies(holders[0], truth) for truth in truths_of(program)]
    told = "\n".join(f"{holder.count} by {holder.root}: {holder.text}" for holder in holders)
    assert "" in wrong, f"{wrong}\n{told}"


@pytest.mark.parametrize(
    ("words", "text", "missing"),
    [
        (("a", "b"), "a → b", None),
        (("b", "a"), "a → b", "a"),
        (("a", "a"), "a → b", "a"),
        (("c",), "a → b", "c"),
    ],
)
def test_words_count_in_their_order(words: tuple[str, ...], text: str, missing: str | None) -> None:
    assert first_missing(words, text) == missing
