"""The dominator tree as text and as JSON."""

from __future__ import annotations

from outlive.heap.dominators import Branch
from outlive.model.heap import Dominator
from outlive.report.heap_tree import branches_json, dominators_tree

KIB = 1 << 10


def branch(number: int, type_: str, size: int, *below: Branch, left_out: int = 0) -> Branch:
    return Branch(
        Dominator(number, type_, 64, size, f"module app → x{number}"), below, left_out, left_out * 10
    )


TREE = [
    branch(
        1,
        "dict",
        800 * KIB,
        branch(2, "list", 500 * KIB, branch(4, "app.Row", 100 * KIB), left_out=7),
        branch(3, "app.\x1bExport", 200 * KIB),
    ),
    branch(5, "set", 100 * KIB),
]


def test_the_tree() -> None:
    assert (
        dominators_tree(TREE, 1000 * KIB, 10)
        == """\
   Retained      Shallow  Share  Object, and how it is held
  800.0 KiB         64 B    80%  dict #1
                                   module app → x1
  500.0 KiB         64 B    50%    ├ list #2 · x2
  100.0 KiB         64 B    10%    │ ├ app.Row #4 · x4
       70 B                  0%    │ └ (7 smaller)
  200.0 KiB         64 B    20%    └ app.\N{REPLACEMENT CHARACTER}Export #3 · x3
  100.0 KiB         64 B    10%  set #5
                                   module app → x5

Retained: what would be freed without the object; what stands below it is a part of that.
"""
    )


def test_an_attribute_below_its_object_is_said_without_it() -> None:
    rows = Branch(Dominator(2, "list", 64, 64, "module app → CACHE['u1'] → Export.rows → list[3]"), (), 0, 0)
    other = Branch(Dominator(3, "dict", 64, 64, "module app → Exports.all → dict[3]"), (), 0, 0)
    export = Branch(
        Dominator(1, "app.Export", 64, 128, "module app → CACHE['u1'] → Export"), (rows, other), 0, 0
    )
    lines = dominators_tree([export], 128, 10).splitlines()
    assert [line.partition(" · ")[2] for line in lines[3:5]] == [".rows", "Exports.all"]


def test_what_the_limit_folds_is_counted() -> None:
    rows = dominators_tree(TREE, 1000 * KIB, 1).splitlines()
    assert rows[3:7] == [
        "  500.0 KiB         64 B    50%    ├ list #2 · x2",
        "  100.0 KiB         64 B    10%    │ ├ app.Row #4 · x4",
        "       70 B                  0%    │ └ (7 smaller)",
        "  200.0 KiB                 20%    └ (1 smaller)",
    ]


def test_an_empty_tree() -> None:
    assert dominators_tree([], 0, 10) == "No object keeps a notable share alive.\n"


def test_json() -> None:
    first, _ = branches_json(TREE, 10)
    assert first["held"] == "module app → x1"
    assert first["retained_bytes"] == 800 * KIB
    below = first["dominates"]
    assert isinstance(below, list)
    assert [each["object"] for each in below] == [2, 3]
    assert below[0]["left_out"] == 7
    (limited,) = branches_json(TREE, 1)
    assert limited["left_out"] == 1
