"""Snapshots in other formats: read back by tools that are not ours, and written whole or not at all."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from outlive.errors import OutliveError, UsageError
from outlive.heap import export_json, graphviz
from outlive.heap.export import FORMATS
from outlive.heap.snapshot import Snapshot
from outlive.heap.tables import TABLES
from tests.heap.service import EXPORT_BYTES, EXPORTS, KIB, ROWS, service
from tests.heap.synthetic import Heap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVIL = ["'", '"', "\\", "\\n", "a\nb", "\x00", "</script>", "]}", "\ud7ff", "é→😀", "<b>&amp;"]


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return Snapshot(service().write(tmp_path / "service.heap"))


def evil(tmp_path: Path) -> Snapshot:
    heap = Heap()
    things = {name: heap.add(f"app.{name}", named={name: heap.text(name)}) for name in EVIL}
    heap.module("app", **things)
    return Snapshot(heap.write(tmp_path / "evil.heap"))


def checked(document: dict[str, Any]) -> tuple[list[dict[str, Any]], list[tuple[int, str, str | int, int]]]:
    """The nodes and edges (source, type, name or index, target) of a .heapsnapshot, all of it consistent."""
    said, strings = document["snapshot"], document["strings"]
    meta = said["meta"]
    fields, kinds = meta["node_fields"], meta["node_types"]
    width = len(fields)
    assert len(kinds) == width
    assert fields[:5] == ["type", "name", "id", "self_size", "edge_count"]
    assert len(document["nodes"]) == said["node_count"] * width
    assert len(document["edges"]) == said["edge_count"] * 3
    assert all(type(number) is int and 0 <= number < 1 << 32 for number in document["nodes"])
    nodes = []
    for at in range(0, len(document["nodes"]), width):
        node = dict(zip(fields, document["nodes"][at : at + width], strict=True))
        nodes.append(node | {"type": kinds[0][node["type"]], "name": strings[node["name"]]})
    assert len({node["id"] for node in nodes}) == len(nodes)
    assert sum(node["edge_count"] for node in nodes) == said["edge_count"]
    sources = [number for number, node in enumerate(nodes) for _ in range(node["edge_count"])]
    edges = []
    for at, source in enumerate(sources):
        kind, name, to = document["edges"][3 * at : 3 * at + 3]
        assert to % width == 0
        assert 0 <= to // width < len(nodes)
        word = meta["edge_types"][0][kind]
        edges.append((source, word, name if word == "element" else strings[name], to // width))
    assert len(set(strings)) == len(strings)
    return nodes, edges


def test_heapsnapshot_is_consistent_and_all_in_it_hangs_on_the_root(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    file = snapshot.convert("heapsnapshot", tmp_path / "now.heapsnapshot")
    document = json.loads(file.read_bytes())
    order = ["snapshot", "nodes", "edges", "trace_function_infos", "trace_tree", "samples", "locations"]
    assert list(document) == [*order, "strings"]  # DevTools reads it as a stream
    nodes, edges = checked(document)
    assert [node["type"] for node in nodes[:2]] == ["synthetic", "synthetic"]
    assert sum(node["self_size"] for node in nodes) == snapshot.index.total_bytes
    assert sum(node["type"] == "object" for node in nodes) == snapshot.info.objects
    reached, left = {0}, [0]
    to: dict[int, list[int]] = {}
    for source, _, _, target in edges:
        to.setdefault(source, []).append(target)
    while left:
        fresh = [target for target in to.get(left.pop(), []) if target not in reached]
        reached.update(fresh)
        left += fresh
    assert len(reached) == len(nodes)
    named = {
        (nodes[source]["name"], kind, name, nodes[target]["name"]) for source, kind, name, target in edges
    }
    assert named >= {
        ("(interpreter)", "internal", "sys.modules", "dict"),
        ("dict", "property", "['app.cache']", "module"),
        ("dict", "property", "['u1']", "app.Export"),
        ("app.Export", "property", "rows", "list"),
        ("list", "element", ROWS - 1, "app.models.Row"),
        ("(threads)", "internal", "Main", "thread"),
        ("frame", "property", "batch", "app.Batch"),
        ("(native references)", "element", 0, "app.Buffer"),
        ("(immortal objects)", "element", 0, "int"),
        ("(garbage)", "element", 0, "app.Node"),
    }


def test_heapsnapshot_of_several_chunks_is_the_same(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = json.loads(snapshot.convert("heapsnapshot", tmp_path / "whole").read_bytes())
    monkeypatch.setattr("outlive.heap.export_devtools._CHUNK", 3)
    parts = json.loads(snapshot.convert("heapsnapshot", tmp_path / "parts").read_bytes())
    assert checked(parts) == checked(whole)


def test_numbers_as_keys_are_not_quoted(tmp_path: Path) -> None:
    heap = Heap()
    key = heap.add("int", text="42")
    heap.module(
        "app", CACHE=heap.add("dict", rest=[key, heap.add("app.A"), heap.add("app.Key"), heap.add("app.B")])
    )
    file = Snapshot(heap.write(tmp_path / "a.heap")).convert("heapsnapshot", tmp_path / "a.heapsnapshot")
    nodes, edges = checked(json.loads(file.read_bytes()))
    named = {nodes[target]["name"]: (kind, name) for _, kind, name, target in edges}
    assert named["app.A"] == ("property", "[42]")
    assert named["app.B"] == ("internal", "(value)")
    assert named["app.Key"] == ("internal", "(key)")


def test_parquet_is_read_by_others(snapshot: Snapshot, tmp_path: Path) -> None:
    folder = snapshot.convert("parquet", tmp_path / "it's a folder")
    assert {file.name for file in folder.iterdir()} == {f"{table}.parquet" for table in TABLES}
    objects = duckdb.read_parquet(str(folder / "objects.parquet"))
    assert objects.columns == list(TABLES["objects"])
    rows = objects.filter("type = 'app.Export'").project("retained, refcount").fetchall()
    assert rows == [(EXPORT_BYTES, 1)] * EXPORTS
    assert objects.filter("type = 'int'").project("refcount").fetchall() == [(None,)]


def test_json_has_every_table(snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_json, "_ROWS", 4)
    document = json.loads(snapshot.convert("json", tmp_path / "now.json").read_bytes())
    assert document["schema"] == 1
    assert document["info"]["pid"] == snapshot.info.pid
    assert len(document["objects"]) == snapshot.info.objects
    assert len(document["refs"]) == snapshot.info.references
    buffer = next(row for row in document["objects"] if row["type"] == "app.Buffer")
    assert (buffer["retained"], buffer["root_kind"]) == (10 * KIB, "native reference")
    assert document["sites"] == []


def test_dot_is_drawn_by_graphviz(snapshot: Snapshot, tmp_path: Path) -> None:
    text = snapshot.convert("dot", tmp_path / "now.dot").read_text()
    assert text.count(" -> ") == snapshot.info.references
    assert b"app.Export" in graphviz.drawn(text, "svg")


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_names_are_names(tmp_path: Path, form: str) -> None:
    out = evil(tmp_path).convert(form, tmp_path / "out")
    if form == "heapsnapshot":
        nodes, edges = checked(json.loads(out.read_bytes()))
        assert {node["name"] for node in nodes} >= {f"app.{name}" for name in EVIL}
        assert {name for _, _, name, _ in edges} >= set(EVIL)
    elif form == "json":
        rows = json.loads(out.read_bytes())["objects"]
        assert {row["type"] for row in rows} >= {f"app.{name}" for name in EVIL}
    elif form == "dot":
        assert graphviz.drawn(out.read_text(), "svg").count(b'class="node"') == evil(tmp_path).info.objects
    else:
        found = duckdb.read_parquet(str(out / "objects.parquet")).project("type").fetchall()
        assert {name for (name,) in found} >= {f"app.{name}" for name in EVIL}


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_heap_is_written_too(tmp_path: Path, form: str) -> None:
    out = Snapshot(Heap().write(tmp_path / "empty.heap")).convert(form, tmp_path / "out")
    if form == "heapsnapshot":
        checked(json.loads(out.read_bytes()))
    assert out.exists()


@pytest.mark.parametrize("form", FORMATS)
def test_a_failure_leaves_what_was_there(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    target = folder / "out"
    if form != "parquet":
        target.write_text("before")

    def full(*_: object) -> Iterator[None]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("outlive.heap.references.references", full)
    monkeypatch.setattr("outlive.heap.tables.references", full)
    with pytest.raises(OutliveError, match="No space left"):
        snapshot.convert(form, target)
    assert [file.name for file in folder.iterdir()] == ([] if form == "parquet" else ["out"])
    assert form == "parquet" or target.read_text() == "before"


def test_what_can_t_be_written_is_refused(snapshot: Snapshot, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it is one of parquet, heapsnapshot, dot, json"):
        snapshot.convert("xml", tmp_path / "out.xml")
    with pytest.raises(UsageError, match="it is a directory"):
        snapshot.convert("json", tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="it exists"):
        snapshot.convert("parquet", tmp_path / "full")
    with pytest.raises(OutliveError, match="No such file"):
        snapshot.convert("json", tmp_path / "nowhere" / "out.json")
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"
    shutil.rmtree(tmp_path / "full")
