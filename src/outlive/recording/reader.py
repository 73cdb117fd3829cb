"""Recording files read, whatever is in them: docs/reference/formats.md, format version 1.

Nothing in a file is trusted. Places and counts are held against the real length, so what is made of a file is
in proportion to it; a slot, a point or a stack that makes no sense is left out and counted.
"""

from __future__ import annotations

import gc
import os
import stat
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from outlive.errors import OutliveError
from outlive.model import layout
from outlive.model.recording import Process, Recording
from outlive.recording import notes, scopes, table, timeline
from outlive.recording.stacks import Half

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from outlive.model.recording import Point

_BYTES_MAX = 1 << 30
_TRIES = 20
_STATES = {layout.STOPPED: "stopped", layout.EXITED: "exited", layout.SIGNALLED: "signalled"}


class _Directory(NamedTuple):
    """What layout.DIRECTORY holds."""

    magic: bytes
    version: int
    header_bytes: int
    file_bytes: int
    notes: int
    notes_bytes: int
    timeline: int
    timeline_bytes: int
    slots: int
    slot_count: int
    totals: int
    stack_count: int
    half0: int
    half1: int
    half_bytes: int
    function_count: int
    frame_count: int
    text_bytes: int


class _Scopes(NamedTuple):
    """What layout.SCOPES holds."""

    rows: int
    row_count: int
    runs: int
    run_count: int
    used: int
    untracked: int


class _Live(NamedTuple):
    """What layout.LIVE holds."""

    pid: int
    parent_pid: int
    began_ns: int
    began_monotonic_ns: int
    interval: int
    level: int
    floor_level: int
    generation: int
    half: int
    used: int
    sampled: int
    dropped: int
    forgotten_bytes: float
    forgotten_blocks: float
    state: int
    status: int
    ended_ns: int


def read(path: Path) -> Recording:
    """Return the recording in a file; a live one as it is at this moment.

    Raises:
        OutliveError: there is no such file, it can't be read, is no recording, of a newer version, cut short,
            or damaged where a reader can't do without.

    """
    with _opened(path) as handle:
        return parse(_copy(handle, str(path)), str(path))


def outline(path: Path) -> Recording:
    """Return the recording without its samples and stacks, and of the timeline what is in the finest ring.

    For lists: milliseconds, whatever the size.

    Raises:
        OutliveError: as for `read`.

    """
    with _opened(path) as handle:
        places, live = _header(os.pread(handle, layout.HEADER_BYTES, 0), str(path))
        if (size := os.fstat(handle).st_size) < places.file_bytes:
            raise _cut_short(str(path), size, places.file_bytes)
        ring_bytes = min(places.timeline_bytes, layout.TIERS[0][1] * layout.POINT.size)
        points, torn = timeline.points(_pread(handle, ring_bytes, places.timeline))
        said = notes.newest(_pread(handle, places.notes_bytes, places.notes))
        return _recording(live, said, points, torn)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open a file to be read; what the system says against it, then or later, is an OutliveError."""
    name = str(path)
    try:
        # Not blocking: a pipe would make open() wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise OutliveError(f"{name} is no recording", "it is not a regular file")
            yield handle
        finally:
            os.close(handle)
    except FileNotFoundError:
        raise OutliveError(f"there is no file {name}") from None
    except PermissionError as error:
        hint = "ask as the user whose process it is, or as root"
        raise OutliveError(f"can't read {name}", error.strerror or "", hint) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise OutliveError(f"can't read {name}", getattr(error, "strerror", None) or str(error)) from error


def parse(data: bytes, name: str) -> Recording:
    """Return the recording that `data`, the bytes of the file `name`, holds.

    Raises:
        OutliveError: it holds none, as for `read`.

    """
    collecting = gc.isenabled()
    gc.disable()  # which would go through all of the new objects again and again, and find nothing
    try:
        return _parse(data, name)
    finally:
        if collecting:
            gc.enable()


def _parse(data: bytes, name: str) -> Recording:
    places, live = _header(data, name)
    if len(data) < places.file_bytes:
        raise _cut_short(name, len(data), places.file_bytes)
    slots = data[places.slots :][: places.slot_count * layout.SLOT.size]
    samples, torn_slots = table.samples(slots, live.interval, places.stack_count)
    points, torn_points = timeline.points(data[places.timeline :][: places.timeline_bytes])
    half = Half(
        data[places.half1 if live.half else places.half0 :][: places.half_bytes],
        places.stack_count,
        places.function_count,
        places.frame_count,
    )
    totals = data[places.totals :][: places.stack_count * layout.TOTAL.size]
    stacks, torn_stacks = half.stacks({sample.stack for sample in samples}, totals)
    work = _scopes(data)
    used = min(work.used, work.row_count)
    said = notes.newest(data[places.notes :][: places.notes_bytes])
    torn = torn_slots + torn_points + torn_stacks
    return replace(
        _recording(live, said, points, torn),
        samples=samples,
        stacks=stacks,
        scopes=scopes.scopes(data[work.rows :], used),
        open_runs=scopes.open_runs(data[work.runs :][: work.run_count * layout.RUN.size], used),
        runs_untracked=work.untracked,
    )


def _recording(live: _Live, said: dict[str, object], points: tuple[Point, ...], torn: int) -> Recording:
    """Return a recording that lacks its samples and stacks."""
    return Recording(
        process=Process(
            live.pid,
            live.parent_pid,
            live.began_ns / 1e9,
            _STATES.get(live.state, "running"),
            live.status,
            live.ended_ns / 1e9 if live.ended_ns else None,
            said,
        ),
        interval_bytes=live.interval,
        current_interval_bytes=live.interval << live.level,
        sampled=live.sampled,
        dropped=live.dropped,
        torn=torn,
        forgotten_bytes=table.whole(live.forgotten_bytes) or 0.0,
        forgotten_blocks=table.whole(live.forgotten_blocks) or 0.0,
        samples=(),
        stacks={},
        timeline=points,
        breakdown=notes.breakdown(said),
    )


def _copy(handle: int, name: str) -> bytes:
    """Return the file as it was at one moment, as far as stacks go: they move now and then."""
    for _ in range(_TRIES):
        places, before = _header(os.pread(handle, layout.HEADER_BYTES, 0), name)
        data = _pread(handle, places.file_bytes, 0)
        if len(data) < places.file_bytes:
            raise _cut_short(name, len(data), places.file_bytes)
        copied = _header(data, name)[1].generation
        after = _header(os.pread(handle, layout.HEADER_BYTES, 0), name)[1].generation
        if before.generation == copied == after:
            return data
    raise OutliveError(
        f"can't read {name}", "its stacks moved each time while they were copied", "try again in a moment"
    )


def _pread(handle: int, size: int, start: int) -> bytes:
    """Return `size` bytes of the file, or all it has from there. Not mapped: a cut would kill the reader."""
    parts, left = list[bytes](), size
    while left and (part := os.pread(handle, left, start + size - left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _header(data: bytes, name: str) -> tuple[_Directory, _Live]:
    """Return the two parts of the header, all of it plausible."""
    if not data:
        raise OutliveError(f"{name} is no recording", "it is empty")
    if not data.startswith(layout.MAGIC):
        raise OutliveError(f"{name} is no recording", "it does not begin as one")
    needed = layout.SCOPES_OFFSET + layout.SCOPES.size
    if len(data) < needed:
        raise _cut_short(name, len(data), layout.HEADER_BYTES)
    places = _Directory._make(layout.DIRECTORY.unpack_from(data))
    if places.version > layout.VERSION:
        raise OutliveError(
            f"can't read {name}",
            f"it has format version {places.version}, this outlive reads {layout.VERSION}",
            "pip install --upgrade outlive",
        )
    work = _scopes(data)
    half_bytes = (
        places.stack_count * layout.STACK.size
        + places.function_count * layout.FUNCTION.size
        + places.frame_count * layout.FRAME.size
        + places.text_bytes
    )
    sections = sorted(
        (
            (0, places.header_bytes),
            (places.notes, places.notes_bytes),
            (places.timeline, places.timeline_bytes),
            (work.rows, work.row_count * layout.SCOPE.size),
            (work.runs, work.run_count * layout.RUN.size),
            (places.slots, places.slot_count * layout.SLOT.size),
            (places.totals, places.stack_count * layout.TOTAL.size),
            (places.half0, places.half_bytes),
            (places.half1, places.half_bytes),
        )
    )
    ends = [start + count for start, count in sections]
    follow = [start for start, _ in sections[1:]]
    live = _Live._make(layout.LIVE.unpack_from(data, layout.LIVE_OFFSET))
    if not (
        places.version == layout.VERSION
        and places.header_bytes >= needed
        and max(ends) <= places.file_bytes <= _BYTES_MAX
        and all(end <= start for end, start in zip(ends, follow, strict=False))  # none over another
        and half_bytes <= places.half_bytes
        and live.interval > 0
        and live.level <= table.LEVEL_MAX
        and live.half <= 1
    ):
        raise OutliveError(f"{name} is damaged", "its header makes no sense")
    return places, live


def _scopes(data: bytes) -> _Scopes:
    return _Scopes._make(layout.SCOPES.unpack_from(data, layout.SCOPES_OFFSET))


def _cut_short(name: str, size: int, whole: int) -> OutliveError:
    return OutliveError(f"{name} is cut short", f"it has {size} of {whole} bytes", "copy it again, whole")
