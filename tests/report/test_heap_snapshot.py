"""What an opened snapshot answers prints as text, and is the list it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import outlive
from outlive.heap.snapshot import Snapshot
from tests.heap.synthetic import IMMORTAL, Heap
from tests.heap.test_snapshot import ROWS, leaking

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return leaking().write(tmp_path / "now.heap")


def test_answers_are_the_lists_of_a_plain_snapshot(file: Path) -> None:
    printed, plain = outlive.open(file), Snapshot(file)
    later = Snapshot(leaking(3 * ROWS).write(file.with_name("later.heap")))
    assert printed.census("module", 1) == plain.census("module", 1)
    assert printed.why("UserActivity") == plain.why("UserActivity")
    assert printed.diff(later, limit=1) == plain.diff(later, limit=1)
    assert printed.growth(plain) == plain.growth(plain)
    assert printed.dominators(2) == plain.dominators(2)
    assert printed.suspects() == plain.suspects()
    assert printed.duplicates() == plain.duplicates()


def test_answers_print_as_text_and_show_in_a_notebook(file: Path) -> None:
    opened = outlive.open(file)
    later = outlive.open(leaking(3 * ROWS).write(file.with_name("later.heap")))
    expected = {
        "Type": opened.census(limit=1),
        "1,000 objects, 488.3 KiB retained\n    module app.cache → CACHE['u42']": opened.why("UserActivity"),
        "Count in each": opened.diff(later),
        "+2,000": later.growth(opened),
        "what stands below it": opened.dominators(1),
        "1. dict": opened.suspects(),
        "Wasted": opened.duplicates(),
    }
    for text, answer in expected.items():
        assert text in repr(answer)
        assert "<pre>" in answer._repr_html_()  # type: ignore[attr-defined]


def test_what_the_interpreter_shares_is_said(tmp_path: Path) -> None:
    heap = Heap()
    values = {
        "three": heap.add("int", refcount=IMMORTAL),
        "static": heap.add("int", refcount=1_000_000_004),  # as of 3.11's small ones
        "nothing": heap.add("NoneType"),
        "own": heap.add("int"),
    }
    heap.module("app", **values)
    opened = outlive.open(heap.write(tmp_path / "x.heap"))
    said = {
        name: str(opened.why(row)).startswith("Immortal: the interpreter") for name, row in values.items()
    }
    assert said == {"three": True, "static": True, "nothing": True, "own": False}
    assert not opened.is_shared("int")  # not all of them
