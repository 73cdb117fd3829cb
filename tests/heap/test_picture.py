"""Pictures of who refers to what: PNG and SVG, small whatever the heap, and hostile names only names."""

from __future__ import annotations

import importlib.metadata
import re
import struct
from typing import TYPE_CHECKING

import pytest
from lxml import etree  # type: ignore[import-untyped]

from outlive.errors import OutliveError, UsageError
from outlive.heap.snapshot import Snapshot
from tests.heap.service import service
from tests.heap.synthetic import Heap

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return Snapshot(service().write(tmp_path / "service.heap"))


def texts(file: Path) -> list[str]:
    """What the picture says."""
    root = etree.fromstring(file.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True))
    assert not [one for one in root.iter() if one.tag in (f"{SVG}script", f"{SVG}a", f"{SVG}image")]
    assert not [name for one in root.iter() for name in one.attrib if name.lower().startswith("on")]
    return [(one.text or "").strip() for one in root.iter(f"{SVG}text")]


def test_the_way_to_the_root_is_drawn(snapshot: Snapshot, tmp_path: Path) -> None:
    said = texts(snapshot.backrefs("Export", tmp_path / "out.svg", max_depth=5))
    way = ["sys.modules", "dict[2]", "['app.cache']", "module app.cache", "__dict__", "['CACHE']", "['u1']"]
    assert set(way) <= set(said)
    assert said.count("app.Export") == 3
    assert said.count("327,824 bytes retained") == 3


def test_frames_native_references_and_garbage(snapshot: Snapshot, tmp_path: Path) -> None:
    said = texts(snapshot.backrefs("Batch", tmp_path / "out.svg"))
    assert {"thread Main", "frame serve() at /srv/app.py:12", "batch"} <= {
        one.partition(",")[0] for one in said
    }
    assert "native reference: refcount 1, 0 known" in texts(snapshot.backrefs("Buffer", tmp_path / "out.svg"))
    assert texts(snapshot.backrefs("Node", tmp_path / "out.svg")).count("other") == 2
    assert "immortal" in texts(snapshot.backrefs("int", tmp_path / "out.svg"))


def test_depth_ends_it_and_says_so(snapshot: Snapshot, tmp_path: Path) -> None:
    said = texts(snapshot.backrefs("Export", tmp_path / "out.svg", max_depth=1))
    assert "1 more" in said
    assert "module app.cache" not in said
    with pytest.raises(UsageError, match="one is the least"):
        snapshot.backrefs("Export", tmp_path / "out.svg", max_depth=0)


def test_of_many_objects_some_of_each_way_are_drawn(tmp_path: Path) -> None:
    heap = Heap()
    rows = heap.sequence(heap.add("app.Target") for _ in range(500))
    kept = heap.mapping({"u1": heap.add("app.Target")})
    cache = heap.add("functools._lru_cache_wrapper", named={"cache": kept, "func": heap.add("function")})
    heap.module("app", ROWS=rows, load=cache)
    said = texts(Snapshot(heap.write(tmp_path / "x.heap")).backrefs("Target", tmp_path / "out.svg"))
    assert {"list[500]", "lru_cache of ?", "['u1']", "cache", "6 of 501 objects are shown"} <= set(said)


def test_no_level_is_too_wide_and_what_it_leaves_out_is_counted(tmp_path: Path) -> None:
    heap = Heap()
    level = [heap.add("app.Target")]
    for depth in range(4):
        level = [heap.add(f"app.Holder{depth}", named={"held": one}) for one in level for _ in range(5)]
    heap.module("app", ALL=heap.sequence(level))
    snapshot = Snapshot(heap.write(tmp_path / "x.heap"))
    said = texts(snapshot.backrefs("Target", tmp_path / "out.svg"))
    drawn = [sum(one == f"app.Holder{depth}" for one in said) for depth in range(4)]
    assert drawn == [5, 10, 10, 10]
    # Each object has five holders, of which those are counted that are not drawn; the list's is too deep.
    left_out = sum(int(one.removesuffix(" more")) for one in said if one.endswith(" more"))
    assert left_out == 5 * (1 + 5 + 10 + 10) - sum(drawn) + 1
    data = snapshot.backrefs("Target", tmp_path / "out.png").read_bytes()
    assert struct.unpack_from(">I", data, 16)[0] < 4000


def test_noise_is_drawn_only_where_it_leads_to_the_root(tmp_path: Path) -> None:
    heap = Heap()
    variables = heap.mapping()
    heap.module("other", USED=heap.add("app.Settings", named={"values": variables}))
    for _ in range(9):
        heap.add("function", named={"__globals__": variables}, native=1)
    said = texts(Snapshot(heap.write(tmp_path / "x.heap")).backrefs(variables, tmp_path / "out.svg"))
    assert "app.Settings" in said
    assert "__globals__" not in said
    assert "9 more" in said
    heap.things[variables + 1].named.clear()  # the settings
    said = texts(Snapshot(heap.write(tmp_path / "y.heap")).backrefs(variables, tmp_path / "out.svg"))
    assert said.count("__globals__") == 1
    assert "8 more" in said


def test_png(snapshot: Snapshot, tmp_path: Path) -> None:
    data = snapshot.backrefs("Export", tmp_path / "out.PNG").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack_from(">II", data, 16)
    assert 300 < width < 4000
    assert 300 < height < 4000


def test_a_crowd_stays_small(tmp_path: Path) -> None:
    heap = Heap()
    popular = [heap.add("app.Popular") for _ in range(500)]
    holders = [heap.sequence(popular) for _ in range(300)]
    for _ in range(4):
        holders = [heap.sequence(holders[at % 60 :: 60]) for at in range(300)]
    heap.module("app", CACHE=heap.sequence(holders))
    said = texts(Snapshot(heap.write(tmp_path / "crowd.heap")).backrefs("Popular", tmp_path / "out.svg"))
    assert "6 of 500 objects are shown" in said
    assert "294 more" in said
    assert len(said) < 900


def test_hostile_names_are_only_text(tmp_path: Path) -> None:
    evil = [
        '"]; evil [label="',
        "\\N\\G\\",
        "</text><script>alert(1)</script>",
        "&lt;b&gt;",
        "<<b>html</b>>",
        "a\nb\x1b[31m\x00",
        "日本 😀",
        "e" * 20_000,
    ]
    heap = Heap()
    target = heap.add("app.Target")
    for name in evil[1:]:
        heap.module(name, **{name: heap.add(f"app.{name}", named={name: target})})
    heap.refer(heap.mapping({evil[0]: target}), "x", target)
    snapshot = Snapshot(heap.write(tmp_path / "evil.heap"))
    said = " ".join(texts(snapshot.backrefs("Target", tmp_path / "out.svg", max_depth=2)))
    assert "</text><script>alert(1)</script>" in said
    assert "\\N\\G\\" in said
    assert "&lt;b&gt;" in said
    assert "\\n" in said
    assert not re.search(r"e{300}", said)
    assert snapshot.backrefs("Target", tmp_path / "out.png").stat().st_size


def test_what_can_t_be_drawn_is_refused(
    snapshot: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"ends in \.png or \.svg"):
        snapshot.backrefs("Export", tmp_path / "out.gif")
    with pytest.raises(OutliveError, match="No such file"):
        snapshot.backrefs("Export", tmp_path / "nowhere" / "out.svg")

    def missing(_: str) -> None:
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(importlib.metadata, "files", missing)
    with pytest.raises(OutliveError, match="pip install graphviz-pure"):
        snapshot.backrefs("Export", tmp_path / "out.svg")
    assert [file.name for file in tmp_path.iterdir()] == ["service.heap"]
