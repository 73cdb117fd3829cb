"""Snapshot files opened, whatever is in them: docs/reference/formats.md, format version 1.

Nothing in a file is trusted: every place, count and row number is held against what there is when it is
opened. After that all of them can be used as they are.
"""

from __future__ import annotations

import errno
import mmap
import os
import stat
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from outlive.errors import OutliveError
from outlive.model import heap_layout as layout
from outlive.model.heap import SnapshotInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    U4 = NDArray[np.uint32]
    Rows = NDArray[np.void]

_KNOWN_BYTES = layout.SECTIONS_OFFSET + layout.SECTION.size * len(layout.ROWS)
_OBJECT_BYTES_MAX = 1 << 47
_ESTIMATE_MAX = 1e30
_CHUNK = 1 << 20
_BY_OBJECT = ("large", "codes", "frames", "texts", "contents")


class _Head(NamedTuple):
    """What layout.HEAD holds."""

    magic: bytes
    version: int
    header_bytes: int
    file_bytes: int


class _Info(NamedTuple):
    """What layout.INFO holds."""

    pid: int
    python: int
    state: int
    error: int
    taken_ns: int
    pause_ns: int
    walk_ns: int
    objects: int
    edges: int
    rss: int


class Columns:
    """A snapshot file, mapped: an array for each section of layout.ROWS.

    Args:
        source: the file's path, or a descriptor, which stays open and may be closed afterwards.
        name: what to call it in errors; "" for the path.

    Raises:
        OutliveError: there is no such file, it can't be read, is no snapshot, of a newer version, not
            complete, cut short, or damaged.

    """

    address: NDArray[np.uint64]
    size: U4
    shape: U4
    refcount: U4
    first: U4
    edges: U4
    large: Rows
    shapes: Rows
    shape_names: U4
    types: Rows
    codes: Rows
    frames: Rows
    texts: Rows
    roots: Rows
    contents: Rows
    sites: Rows
    samples: Rows
    string_offsets: U4
    strings: NDArray[np.uint8]

    def __init__(self, source: str | os.PathLike[str] | int, name: str = "") -> None:
        self.name = name or (f"descriptor {source}" if isinstance(source, int) else os.fspath(source))
        data = _mapped(source, self.name)
        info = _info(data, self.name)
        for section, (offset, count) in _places(data, self.name).items():
            rows = np.frombuffer(data, np.dtype(layout.ROWS[section]), count, offset)
            rows.flags.writeable = False
            setattr(self, section, rows)
        for wrong in _wrong(self, info):
            raise _damaged(self.name, wrong)
        self.info = SnapshotInfo(
            pid=info.pid,
            python=_python(info.python),
            taken=info.taken_ns / 1e9,
            pause_seconds=info.pause_ns / 1e9,
            walk_seconds=info.walk_ns / 1e9,
            objects=info.objects,
            references=info.edges,
            rss_bytes=info.rss,
        )

    def __len__(self) -> int:
        """Return how many objects there are."""
        return len(self.shape)

    @cached_property
    def shape_category(self) -> NDArray[np.uint8]:
        """Category of the type, by row of `shapes`."""
        category: NDArray[np.uint8] = self.types["category"].astype(np.uint8)[self.shapes["type"]]
        return category

    def text(self, string: int) -> str:
        """Return a string of the file."""
        first, end = self.string_offsets[string : string + 2]
        return self.strings[first:end].tobytes().decode("utf-8", "replace")


def _mapped(source: str | os.PathLike[str] | int, name: str) -> mmap.mmap:
    """Return the file's bytes; the error is what the system says."""
    try:
        # Not blocking: a pipe would make open() wait for a writer.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
        handle = os.dup(source) if isinstance(source, int) else os.open(source, flags)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise OutliveError(f"{name} is no snapshot", "it is not a regular file")
            if not status.st_size:
                raise OutliveError(f"{name} is no snapshot", "it is empty")
            return mmap.mmap(handle, status.st_size, access=mmap.ACCESS_READ)
        finally:
            os.close(handle)
    except FileNotFoundError:
        raise OutliveError(f"there is no file {name}") from None
    except PermissionError as error:
        hint = "ask as the user whose process it was, or as root"
        raise OutliveError(f"can't read {name}", error.strerror or "", hint) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise OutliveError(f"can't read {name}", getattr(error, "strerror", None) or str(error)) from error


def _info(data: mmap.mmap, name: str) -> _Info:
    """Return the header's figures: those of a snapshot that is complete and of this version."""
    if data[: len(layout.MAGIC)] != layout.MAGIC:
        raise OutliveError(f"{name} is no snapshot", "it does not begin as one")
    if len(data) < _KNOWN_BYTES:
        raise _cut_short(name, len(data), layout.HEADER_BYTES)
    head = _Head._make(layout.HEAD.unpack_from(data))
    if head.version > layout.VERSION:
        raise OutliveError(
            f"can't read {name}",
            f"it has format version {head.version}, this outlive reads {layout.VERSION}",
            "pip install --upgrade outlive",
        )
    info = _Info._make(layout.INFO.unpack_from(data, layout.INFO_OFFSET))
    if info.state == layout.FAILED:
        why = os.strerror(info.error) if info.error in errno.errorcode else "for a reason unknown"
        raise OutliveError(f"{name} is not complete", f"its walk failed: {why}", "take another snapshot")
    if info.state == layout.WALKING or not head.file_bytes:
        raise OutliveError(
            f"{name} is not complete",
            "the walk goes on, or ended before its time",
            "wait for it, or take another snapshot",
        )
    if len(data) < head.file_bytes:
        raise _cut_short(name, len(data), head.file_bytes)
    if not (
        head.version == layout.VERSION
        and info.state == layout.COMPLETE
        and _KNOWN_BYTES <= head.header_bytes <= head.file_bytes
        and info.objects < layout.NONE - 1
    ):
        raise _damaged(name, "its header makes no sense")
    return info


def _places(data: mmap.mmap, name: str) -> dict[str, tuple[int, int]]:
    """Return where each section begins and how many rows it has: in the file, whole, none in another."""
    head = _Head._make(layout.HEAD.unpack_from(data))
    found = {}
    taken = [(0, head.header_bytes)]
    for number, (section, rows) in enumerate(layout.ROWS.items()):
        place = layout.SECTIONS_OFFSET + layout.SECTION.size * number
        offset, size = layout.SECTION.unpack_from(data, place)
        width = np.dtype(rows).itemsize
        if not size:
            offset = 0
        elif offset % 8 or size % width:
            raise _damaged(name, f"its section {section} is out of line")
        elif offset + size > head.file_bytes:
            raise _damaged(name, f"its section {section} lies beyond its end")
        else:
            taken.append((offset, size))
        found[section] = (offset, size // width)
    taken.sort()
    for (before, size), (after, _) in pairwise(taken):
        if before + size > after:
            raise _damaged(name, "its sections overlap")
    return found


def _wrong(columns: Columns, info: _Info) -> Iterator[str]:
    """Say what makes no sense, if anything; what comes later relies on what came before."""
    count = info.objects
    if any(len(getattr(columns, name)) != count for name in ("address", "size", "shape", "refcount")):
        yield "its columns differ in length"
    if len(columns.first) != count + 1 or len(columns.edges) != info.edges:
        yield "its references are not as many as it says"
    if not _ascends(columns.first, info.edges) or columns.first[0]:
        yield "its references are out of order"
    if not _ascends(columns.string_offsets, len(columns.strings)):
        yield "its strings are out of order"
    for section, rows, end in _references(columns):
        if len(rows) and int(rows.max()) >= end:
            yield f"its section {section} refers to what is not there"
    for section in _unsorted(columns):
        yield f"its section {section} is out of order"
    checks = {
        _samples_make_sense: "its samples make no sense",
        _sizes_are_there: "its sizes make no sense",
        _named_are_there: "its objects have fewer references than names for them",
    }
    yield from (wrong for is_right, wrong in checks.items() if not is_right(columns))


def _references(columns: Columns) -> Iterator[tuple[str, NDArray[Any], int]]:
    """Yield, by section, numbers and what they must be below."""
    objects, shapes, types = len(columns), columns.shapes, columns.types
    strings = max(len(columns.string_offsets) - 1, 0)
    yield "edges", columns.edges, objects
    yield "shape", columns.shape, len(shapes)
    yield "shape_names", columns.shape_names, strings
    yield "shapes", shapes["type"], len(types)
    yield "shapes", shapes["rest"], len(layout.Rest)
    yield "shapes", shapes["names"].astype(np.uint64) + shapes["named"], len(columns.shape_names) + 1
    yield "types", types["name"], strings
    yield "types", _known(types["object"]), objects
    yield "types", types["category"], len(layout.Category)
    yield "codes", columns.codes["name"], strings
    yield "codes", columns.codes["file"], strings
    yield "frames", _known(columns.frames["code"]), objects
    yield "frames", columns.frames["state"], len(layout.FrameState)
    yield "texts", columns.texts["text"], strings
    yield "roots", columns.roots["object"], objects
    yield "roots", columns.roots["name"], strings
    yield "roots", columns.roots["kind"] - np.uint32(1), len(layout.RootKind)
    yield "sites", columns.sites["function"], strings
    yield "sites", columns.sites["file"], strings
    yield "samples", columns.samples["site"], len(columns.sites)
    yield "samples", columns.samples["object"], objects
    for section in _BY_OBJECT:
        yield section, getattr(columns, section)["object"], objects


def _ascends(rows: U4, last: int) -> bool:
    """Whether rows never fall and end at `last`."""
    if not len(rows):
        return last == 0
    return int(rows[-1]) == last and not (rows[1:] < rows[:-1]).any()


def _unsorted(columns: Columns) -> Iterator[str]:
    for section in _BY_OBJECT:
        objects = getattr(columns, section)["object"]
        if (objects[1:] <= objects[:-1]).any():
            yield section


def _known(rows: U4) -> U4:
    known: U4 = rows[rows != layout.NONE]
    return known


def _sizes_are_there(columns: Columns) -> bool:
    large = columns.large
    elsewhere = np.flatnonzero(columns.size == layout.NONE)
    return np.array_equal(elsewhere, large["object"]) and bool((large["size"] <= _OBJECT_BYTES_MAX).all())


def _samples_make_sense(columns: Columns) -> bool:
    """Whether samples are in order, as an object may have two, and their figures may be."""
    objects = columns.samples["object"]
    if (objects[1:] < objects[:-1]).any():
        return False
    figures = [columns.samples[name] for name in ("bytes", "variance", "blocks")]
    return all(bool(((each >= 0) & (each < _ESTIMATE_MAX)).all()) for each in figures)


def _named_are_there(columns: Columns) -> bool:
    named = columns.shapes["named"]
    if not named.any():
        return True
    for start in range(0, len(columns), _CHUNK):
        first = columns.first[start : start + _CHUNK + 1]
        if (np.diff(first) < named[columns.shape[start : start + _CHUNK]]).any():
            return False
    return True


def _python(version: int) -> str:
    text = f"{version >> 24}.{version >> 16 & 0xFF}.{version >> 8 & 0xFF}"
    level = {0xA: "a", 0xB: "b", 0xC: "rc"}.get(version >> 4 & 0xF)
    return f"{text}{level}{version & 0xF}" if level else text


def _damaged(name: str, why: str) -> OutliveError:
    return OutliveError(f"{name} is damaged", why, "take another snapshot")


def _cut_short(name: str, size: int, whole: int) -> OutliveError:
    return OutliveError(f"{name} is cut short", f"it has {size} of {whole} bytes", "copy it again, whole")
