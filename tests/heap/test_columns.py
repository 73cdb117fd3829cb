"""Snapshot files opened: what is in them comes out; what is wrong with them is said."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from outlive.errors import OutliveError
from outlive.heap.columns import Columns
from outlive.model import heap_layout as layout
from outlive.model.heap_layout import NONE, Category, Rest, RootKind, TypeFlag
from tests.heap import synthetic
from tests.heap.synthetic import Heap

if TYPE_CHECKING:
    from pathlib import Path


def small() -> Heap:
    heap = Heap()
    rows = heap.sequence(heap.add("app.Row", size=72, content=row) for row in range(3))
    export = heap.add("app.Export", named={"rows": rows}, native=1)
    heap.module("app.cache", CACHE=heap.mapping({"u42": export}))
    code = heap.code("export", "app/export.py", 10)
    heap.thread("MainThread", [heap.frame(code, 12, {"größe": rows}, address=0)])
    heap.type("app.Code", Category.OTHER, object=heap.add("type"))
    heap.add("app.Code", size=6 << 30)
    return heap


def opened(data: bytes | bytearray, folder: Path) -> Columns:
    file = folder / "x.heap"
    file.write_bytes(data)
    return Columns(file)


def refusal(data: bytes | bytearray, folder: Path) -> OutliveError:
    with pytest.raises(OutliveError) as caught:
        opened(data, folder)
    assert str(caught.value).startswith((str(folder / "x.heap"), f"can't read {folder / 'x.heap'}"))
    return caught.value


def test_all_comes_out_as_it_was_put_in(tmp_path: Path) -> None:
    heap = small()
    columns = opened(heap.encode(), tmp_path)
    text = columns.text
    assert len(columns) == len(heap.things)
    for row, thing in enumerate(heap.things):
        shape = columns.shapes[columns.shape[row]]
        names = columns.shape_names[int(shape["names"]) :][: int(shape["named"])]
        edges = columns.edges[columns.first[row] : columns.first[row + 1]].tolist()
        assert int(columns.address[row]) == thing.address
        assert text(columns.types["name"][shape["type"]]) == thing.type
        assert [text(name) for name in names] == [name for name, _ in thing.named]
        assert edges == [held for _, held in thing.named] + thing.rest
        assert Rest(shape["rest"]) is thing.meaning
    assert columns.refcount.tolist() == heap.refcounts()
    assert {int(row): text(name) for row, name in columns.texts} == heap.texts
    assert [(int(row), RootKind(kind), text(name)) for row, kind, name in columns.roots] == heap.roots
    assert [(int(row), text(name), text(file), int(line)) for row, name, file, line in columns.codes] == [
        (row, *code) for row, code in heap.codes.items()
    ]
    assert {int(row): int(value) for row, _, value in columns.contents} == heap.contents
    kinds = {
        text(kind["name"]): (Category(kind["category"]), TypeFlag(kind["flags"])) for kind in columns.types
    }
    assert kinds["dict"] == (Category.DICT, TypeFlag.COLLECTED)
    assert kinds["app.Row"] == (Category.OTHER, TypeFlag.COLLECTED | TypeFlag.HEAP)
    assert int(columns.large["size"][0]) == 6 << 30


def test_info(tmp_path: Path) -> None:
    info = opened(small().encode(), tmp_path).info
    assert (info.pid, info.python, info.taken) == (synthetic.PID, "3.12.1", synthetic.TAKEN)
    assert (info.pause_seconds, info.walk_seconds, info.rss_bytes) == (0.012, 0.34, 700 << 20)
    things = small().things
    assert (info.objects, info.references) == (len(things), sum(map(synthetic._degree, things)))


def test_columns_can_t_be_written(tmp_path: Path) -> None:
    columns = opened(small().encode(), tmp_path)
    assert not any(getattr(columns, name).flags.writeable for name in layout.ROWS)


def test_a_descriptor_may_be_closed_and_a_file_removed(tmp_path: Path) -> None:
    handle = os.memfd_create("x")
    try:
        os.write(handle, small().encode())
        columns = Columns(handle)
    finally:
        os.close(handle)
    assert columns.text(columns.texts["text"][0]) == "u42"
    file = small().write(tmp_path / "x.heap")
    columns = Columns(str(file))
    file.unlink()
    assert columns.shape.tolist()


def test_text_that_is_no_utf8_is_shown_all_the_same(tmp_path: Path) -> None:
    data = small().encode().replace("größe".encode(), b"gr\xff\xff\xc3\xc3e")
    columns = opened(data, tmp_path)
    assert "gr\ufffd\ufffd\ufffd\ufffde" in {columns.text(row) for row in columns.shape_names}


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(OutliveError, match="there is no file"):
        Columns(tmp_path / "x.heap")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_no_regular_file(make: object, tmp_path: Path) -> None:
    assert callable(make)
    make(tmp_path / "x.heap")
    with pytest.raises(OutliveError, match="it is not a regular file"):
        Columns(tmp_path / "x.heap")


def test_a_name_with_a_nul() -> None:
    with pytest.raises(OutliveError, match="can't read"):
        Columns("a\0b")


def test_a_descriptor_that_is_none() -> None:
    with pytest.raises(OutliveError, match=r"can't read descriptor 1000000: Bad file descriptor"):
        Columns(1_000_000)


@pytest.mark.parametrize(
    ("data", "why"),
    [(b"", "it is empty"), (b"x", "it does not begin as one"), (bytes(5000), "it does not begin as one")],
)
def test_not_ours(data: bytes, why: str, tmp_path: Path) -> None:
    error = refusal(data, tmp_path)
    assert error.what.endswith("is no snapshot")
    assert error.why == why


def test_newer_version(tmp_path: Path) -> None:
    heap = small()
    data = synthetic.encode(heap.sections(), objects=0, edges=0, version=2)
    error = refusal(data, tmp_path)
    assert error.why == "it has format version 2, this outlive reads 1"
    assert error.hint == "pip install --upgrade outlive"


def test_walk_that_did_not_end(tmp_path: Path) -> None:
    data = bytearray(synthetic.encode(Heap().sections(), objects=0, edges=0, state=layout.WALKING))
    assert refusal(data, tmp_path).what.endswith("is not complete")
    data = bytearray(Heap().encode())
    layout.HEAD.pack_into(data, 0, layout.MAGIC, layout.VERSION, layout.HEADER_BYTES, 0)
    assert refusal(data, tmp_path).what.endswith("is not complete")


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.ENOSPC, "its walk failed: No space left on device"),
        (1 << 31, "its walk failed: for a reason unknown"),
    ],
)
def test_walk_that_failed(number: int, why: str, tmp_path: Path) -> None:
    data = bytearray(synthetic.encode(Heap().sections(), objects=0, edges=0, state=layout.FAILED))
    data[layout.INFO_OFFSET + 12 : layout.INFO_OFFSET + 16] = number.to_bytes(4, "little")
    assert refusal(data, tmp_path).why == why


@pytest.mark.parametrize("size", [8, 24, 100, 4095, 4096, 5000, -1])
def test_cut_short(size: int, tmp_path: Path) -> None:
    error = refusal(small().encode()[:size], tmp_path)
    assert error.what.endswith("is cut short")
    assert error.hint == "copy it again, whole"


def place(section: str) -> int:
    return layout.SECTIONS_OFFSET + layout.SECTION.size * list(layout.ROWS).index(section)


@pytest.mark.parametrize(
    ("section", "offset", "size", "why"),
    [
        ("edges", 4100, 8, "its section edges is out of line"),
        ("edges", 4096, 7, "its section edges is out of line"),
        ("edges", 1 << 63, 1 << 63, "its section edges lies beyond its end"),
        ("edges", 4096, 1 << 40, "its section edges lies beyond its end"),
        ("edges", 0, 8, "its sections overlap"),
        ("large", 4104, 16, "its sections overlap"),
        ("shape", 0, 0, "its columns differ in length"),
        ("edges", 0, 0, "its references are not as many as it says"),
        ("strings", 0, 0, "its strings are out of order"),
        ("types", 0, 0, "its section shapes refers to what is not there"),
    ],
)
def test_sections_that_can_t_be(section: str, offset: int, size: int, why: str, tmp_path: Path) -> None:
    data = bytearray(small().encode())
    layout.SECTION.pack_into(data, place(section), offset, size)
    error = refusal(data, tmp_path)
    assert (error.what, error.why) == (f"{tmp_path / 'x.heap'} is damaged", why)


@pytest.mark.parametrize(
    ("section", "field", "row", "value", "why"),
    [
        ("edges", None, 3, 10_000, "its section edges refers to what is not there"),
        ("edges", None, -1, NONE, "its section edges refers to what is not there"),
        ("shape", None, 0, 1000, "its section shape refers to what is not there"),
        ("first", None, 0, 1, "its references are out of order"),
        ("first", None, -3, 0, "its references are out of order"),
        ("first", None, -1, 2, "its references are out of order"),
        ("string_offsets", None, 2, 10_000, "its strings are out of order"),
        ("string_offsets", None, -1, 10_000, "its strings are out of order"),
        ("shapes", "type", 0, 1000, "its section shapes refers to what is not there"),
        ("shapes", "rest", 0, 5, "its section shapes refers to what is not there"),
        ("shapes", "names", 2, NONE, "its section shapes refers to what is not there"),
        ("shapes", "named", 0, 1, "its objects have fewer references than names for them"),
        ("shape_names", None, 0, 1000, "its section shape_names refers to what is not there"),
        ("types", "name", 0, 1000, "its section types refers to what is not there"),
        ("types", "object", 0, 1000, "its section types refers to what is not there"),
        ("types", "category", 0, 27, "its section types refers to what is not there"),
        ("codes", "file", 0, 1000, "its section codes refers to what is not there"),
        ("frames", "code", 0, 1000, "its section frames refers to what is not there"),
        ("frames", "state", 0, 5, "its section frames refers to what is not there"),
        ("texts", "text", 0, 1000, "its section texts refers to what is not there"),
        ("texts", "object", 0, 1000, "its section texts refers to what is not there"),
        ("texts", "object", 1, 0, "its section texts is out of order"),
        ("contents", "object", 1, 0, "its section contents is out of order"),
        ("roots", "object", 0, 1000, "its section roots refers to what is not there"),
        ("roots", "kind", 0, 0, "its section roots refers to what is not there"),
        ("roots", "kind", 0, 5, "its section roots refers to what is not there"),
        ("size", None, 0, NONE, "its sizes make no sense"),
        ("large", "object", 0, 0, "its sizes make no sense"),
        ("large", "size", 0, 1 << 60, "its sizes make no sense"),
    ],
)
def test_rows_that_can_t_be(  # noqa: PLR0913, PLR0917 - a row of the table above
    section: str, field: str | None, row: int, value: int, why: str, tmp_path: Path
) -> None:
    heap = small()
    sections = heap.sections()
    rows = np.frombuffer(sections[section], layout.ROWS[section]).copy()
    (rows[field] if field else rows)[row] = value
    edges = len(sections["edges"]) // 4
    data = synthetic.encode(sections | {section: rows.tobytes()}, objects=len(heap.things), edges=edges)
    assert refusal(data, tmp_path).why == why


def test_counts_that_are_not_those_of_its_sections(tmp_path: Path) -> None:
    heap = small()
    count = len(heap.things)
    data = synthetic.encode(heap.sections(), objects=count + 1, edges=0)
    assert refusal(data, tmp_path).why == "its columns differ in length"
    data = synthetic.encode(heap.sections(), objects=NONE, edges=0)
    assert refusal(data, tmp_path).why == "its header makes no sense"
