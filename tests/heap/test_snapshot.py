"""A snapshot as people ask it: each question reaches its answer, on one heap with a planted leak."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from outlive.errors import UsageError
from outlive.heap.snapshot import Snapshot
from tests.heap.synthetic import Heap

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 1000


def leaking(rows: int = ROWS) -> Heap:
    heap = Heap()
    held = heap.sequence(heap.add("app.UserActivity", size=500, content=7) for _ in range(rows))
    export = heap.add("app.Export", named={"rows": held})
    heap.module("app.cache", CACHE=heap.mapping({"u42": export}))
    return heap


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return Snapshot(leaking().write(tmp_path / "now.heap"))


def test_census_and_retained(snapshot: Snapshot) -> None:
    assert snapshot.census(limit=1)[0].name == "dict"
    totals = {total.name: total for total in snapshot.census()}
    assert totals["app.UserActivity"].count == ROWS
    assert snapshot.retained("UserActivity") == totals["app.UserActivity"].retained_bytes == 500 * ROWS
    assert snapshot.retained("Export") == 500 * ROWS + 48 + 56 + 8 * ROWS
    assert [total.name for total in snapshot.census("module")] == ["builtins", "app"]


def test_why(snapshot: Snapshot) -> None:
    (holder,) = snapshot.why("UserActivity")
    assert holder.count == ROWS
    assert (holder.root.kind, holder.root.name) == ("module", "app.cache")
    assert holder.text.startswith("module app.cache → CACHE['u42'] → Export.rows")


def test_diff_and_growth(snapshot: Snapshot, tmp_path: Path) -> None:
    later = Snapshot(leaking(3 * ROWS).write(tmp_path / "later.heap"))
    change = snapshot.diff(later)[0]
    assert (change.name, change.counts) == ("app.UserActivity", (ROWS, 3 * ROWS))
    assert later.growth(snapshot, limit=1) == [change]
    assert snapshot.growth(later) == []
    assert snapshot.diff(later, snapshot)[0].counts == (ROWS, 3 * ROWS, ROWS)
    for ask in (snapshot.diff, snapshot.growth):
        with pytest.raises(UsageError, match="growth is between two snapshots"):
            ask()


def test_dominators_suspects_duplicates(snapshot: Snapshot) -> None:
    top = snapshot.dominators(1)
    assert (top[0].type, len(snapshot.dominators())) == ("dict", 1)
    below = snapshot.dominators(below=top[0].object)
    assert "module" in {one.type for one in below}
    assert snapshot.dominator_tree(depth=2)[0].branches
    (suspect,) = snapshot.suspects()
    assert "CACHE" in suspect.holder
    assert "rows" in suspect.accumulates_at
    assert [total.count for total in suspect.content] == [ROWS]
    (duplicate,) = snapshot.duplicates()
    assert duplicate.wasted_bytes == 500 * (ROWS - 1)
    assert len(duplicate.holders) <= 3


def test_sql(snapshot: Snapshot) -> None:
    names, rows = snapshot.sql("select count(*) as n from objects where type = 'app.UserActivity'")
    assert (tuple(names), rows) == (("n",), [(ROWS,)])


def test_convert_and_backrefs(snapshot: Snapshot, tmp_path: Path) -> None:
    assert snapshot.convert("json", tmp_path / "x.json").stat().st_size
    assert snapshot.backrefs("Export", tmp_path / "x.svg").read_text().lstrip().startswith("<")


def test_a_notebook_shows_names_not_markup(tmp_path: Path) -> None:
    heap = leaking()
    heap.add("evil.<script>alert(1)</script>", size=1 << 30, native=1)
    html = Snapshot(heap.write(tmp_path / "x.heap"))._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert "1,073,741,824" in html


def test_info_and_repr(snapshot: Snapshot) -> None:
    assert snapshot.info.pid == 4321
    assert repr(snapshot).startswith("<Snapshot of process 4321: 1,0")
