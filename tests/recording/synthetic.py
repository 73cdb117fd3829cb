"""Recordings made from plain descriptions; `encode` is the reader's inverse, made of the layout alone."""

from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

from outlive.model import layout
from outlive.model.recording import Frame, Point, Process, Recording, Sample, Stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from outlive.model.breakdown import Breakdown

BEGAN = 1_700_000_000.0
_STATES = {
    "running": layout.RUNNING,
    "stopped": layout.STOPPED,
    "exited": layout.EXITED,
    "signalled": layout.SIGNALLED,
}
_PAGE_BYTES = 8192
_POINTS = sum(count for _, count in layout.TIERS)


def stack(
    *lines: str, allocated: float = 0.0, blocks: float = 0.0, cut: bool = False, late: float = 0.0
) -> Stack:
    """Make a stack of lines as "function file:line", the allocating one first."""
    frames = []
    for text in lines:
        function, _, place = text.partition(" ")
        file, _, line = place.rpartition(":")
        frames.append(Frame(function, file, int(line)))
    return Stack(tuple(frames), allocated, blocks, cut, late)


def sample(  # noqa: PLR0913 - what a sample is made of
    stack: int,
    size: int = 1 << 20,
    *,
    born: float = 1.0,
    address: int = 0,
    interval: int = 1 << 17,
    native: bool = False,
    run: int = 0,
    scope: int = 0,
) -> Sample:
    """Make a live sampled block; address 0: `encode` gives it one of its own."""
    return Sample(address, size, interval, stack, born, 77, run, native, scope)


def point(uptime: float, **known: Any) -> Point:  # noqa: ANN401 - any field of Point
    """Make a timeline point at which only what is named is known: `point(3.0, rss=5 << 20, threads=2)`."""
    fields: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(Point))
    fields |= {"time": BEGAN + uptime, "uptime": uptime, "gc_counts": (None, None, None)}
    return Point(**fields | known)


def recording(  # noqa: PLR0913 - what a recording is made of
    stacks: Mapping[int, Stack] | None = None,
    samples: Sequence[Sample] = (),
    timeline: Sequence[Point] = (),
    *,
    notes: Mapping[str, object] | None = None,
    breakdown: Breakdown | None = None,
    process: Mapping[str, Any] | None = None,
    **header: Any,  # noqa: ANN401 - any other field of Recording
) -> Recording:
    """Make a recording; `process` holds the fields of Process that differ from a running process 4321."""
    who: dict[str, Any] = {
        "pid": 4321,
        "parent_pid": 0,
        "began": BEGAN,
        "state": "running",
        "status": 0,
        "ended": None,
        "notes": dict(notes or {}) | ({"breakdown": dataclasses.asdict(breakdown)} if breakdown else {}),
    }
    fields: dict[str, Any] = {
        "interval_bytes": 1 << 17,
        "current_interval_bytes": 1 << 17,
        "sampled": len(samples),
        "dropped": 0,
        "torn": 0,
        "forgotten_bytes": 0.0,
        "forgotten_blocks": 0.0,
    }
    live = tuple(
        dataclasses.replace(block, address=block.address or 0x7F00_0000_0000 + 4096 * number)
        for number, block in enumerate(samples)
    )
    return Recording(
        process=Process(**who | dict(process or {})),
        samples=live,
        stacks=dict(stacks or {}),
        timeline=tuple(timeline),
        breakdown=breakdown,
        **fields | header,
    )


def encode(  # noqa: PLR0913 - the room in it
    recorded: Recording,
    *,
    slots: int = 0,
    stacks: int = 0,
    points: int = _POINTS,
    half: int = 0,
    generation: int = 2,
) -> bytes:
    """Return the file of a recording, with at least as many `slots` and `stacks` as asked for.

    Fewer `points` than the format has leave the coarser tiers away, for files that are small.
    """
    count = max(stacks, *recorded.stacks, 0) + 1
    filling = _half(recorded, count)
    slot_table = b"".join(map(_slot, recorded.samples, [recorded.interval_bytes] * len(recorded.samples)))
    slot_table += bytes(max(0, slots * layout.SLOT.size - len(slot_table)))
    totals = bytearray(layout.TOTAL.size * count)
    for number, site in recorded.stacks.items():
        layout.TOTAL.pack_into(
            totals,
            number * layout.TOTAL.size,
            *(site.allocated_bytes, site.allocated_blocks, site.late_bytes, site.late_samples),
        )
    other = b"\xa5" * len(filling.data)
    halves = (filling.data, other) if half == 0 else (other, filling.data)
    notes, timeline = _notes(recorded.process.notes), _timeline(recorded.timeline, points)
    scopes, runs = _scopes(recorded), _runs(recorded)
    parts = (notes, timeline, scopes, runs, slot_table, totals, *halves)
    offsets, end = [], layout.HEADER_BYTES
    for part in parts:
        offsets.append(end)
        end += len(part)
    notes_at, timeline_at, scopes_at, runs_at, slots_at, totals_at, half0_at, half1_at = offsets
    header = layout.DIRECTORY.pack(
        *(layout.MAGIC, layout.VERSION, layout.HEADER_BYTES, end),
        *(notes_at, len(notes), timeline_at, len(timeline)),
        *(slots_at, len(slot_table) // layout.SLOT.size, totals_at, count),
        *(half0_at, half1_at, len(filling.data), filling.functions, filling.frames, filling.text_bytes),
    )
    header += _live(recorded, half, generation)
    rows = len(scopes) // layout.SCOPE.size
    header += layout.SCOPES.pack(
        *(scopes_at, rows, runs_at, len(runs) // layout.RUN.size, rows, recorded.runs_untracked)
    )
    return b"".join((header.ljust(layout.HEADER_BYTES, b"\0"), *parts))


def write(path: Path, recorded: Recording, **room: Any) -> Path:  # noqa: ANN401 - as encode
    """Write a recording's file and return its path."""
    path.write_bytes(encode(recorded, **room))
    return path


def sections(data: bytes) -> dict[str, tuple[int, int]]:
    """Return the place of each section in a file that `encode` made: offset, bytes."""
    fields = layout.DIRECTORY.unpack_from(data)
    notes_at, notes, timeline_at, timeline, slots_at, slots, totals_at, stacks, half0, half1, half = fields[
        4:15
    ]
    scopes_at, rows, runs_at, runs, _, _ = layout.SCOPES.unpack_from(data, layout.SCOPES_OFFSET)
    return {
        "header": (0, layout.HEADER_BYTES),
        "notes": (notes_at, notes),
        "timeline": (timeline_at, timeline),
        "scopes": (scopes_at, rows * layout.SCOPE.size),
        "runs": (runs_at, runs * layout.RUN.size),
        "slots": (slots_at, slots * layout.SLOT.size),
        "totals": (totals_at, stacks * layout.TOTAL.size),
        "half 0": (half0, half),
        "half 1": (half1, half),
    }


@dataclasses.dataclass(frozen=True)
class _Half:
    data: bytes
    functions: int
    frames: int
    text_bytes: int


def _half(recorded: Recording, count: int) -> _Half:
    text, offsets = bytearray(), dict[str, int]()
    functions: dict[tuple[str, str], int] = {}
    function_table, frame_table = bytearray(), bytearray()
    stack_table = bytearray(layout.STACK.size * count)

    def offset_of(name: str) -> int:
        if name not in offsets:
            offsets[name] = len(text)
            text.extend(name.encode() + b"\0")
        return offsets[name]

    for number, site in recorded.stacks.items():
        first = len(frame_table) // layout.FRAME.size
        length = len(site.frames) | (layout.STACK_CUT if site.cut else 0)
        layout.STACK.pack_into(stack_table, number * layout.STACK.size, first, length)
        for frame in site.frames:
            function = functions.setdefault((frame.file, frame.function), len(functions))
            if function == len(function_table) // layout.FUNCTION.size:
                function_table += layout.FUNCTION.pack(offset_of(frame.file), offset_of(frame.function), 1)
            frame_table += layout.FRAME.pack(function, frame.line)
    return _Half(
        bytes(stack_table + function_table + frame_table + text),
        len(functions),
        len(frame_table) // layout.FRAME.size,
        len(text),
    )


def _slot(block: Sample, interval: int) -> bytes:
    level = (block.interval_bytes // interval).bit_length() - 1
    origin = layout.FROM_MALLOC if block.from_malloc else layout.FROM_PYTHON
    fields = (
        block.size | level << 48 | origin << 56,
        block.stack,
        round(block.born * 10),
        block.thread | block.scope << layout.THREAD_BITS,
        block.run,
    )
    check = layout.slot_check(block.address, *fields)
    return layout.SLOT.pack(block.address | check << 48, *fields)


def _scopes(recorded: Recording) -> bytes:
    rows = bytearray(layout.SCOPE.size * (max(recorded.scopes, default=0) + 1))
    for number, scope in recorded.scopes.items():
        layout.SCOPE.pack_into(
            rows,
            number * layout.SCOPE.size,
            *(scope.base, scope.began - scope.ended, scope.began, scope.ended),
            *(scope.in_use_bytes, scope.high_bytes, scope.name.encode()),
        )
    return bytes(rows)


def _runs(recorded: Recording) -> bytes:
    free = layout.RUN.pack(0, 0, 0, 0)
    return free + b"".join(
        layout.RUN.pack(each.run, each.scope, round(each.began * 10), 0) for each in recorded.open_runs
    )


def _notes(notes: Mapping[str, object]) -> bytes:
    """Return two pages: an older one that says something else, and the one that counts."""
    pages = b""
    for number, said in ((1, {"stale": True}), (2, notes)):
        text = json.dumps(said).encode()
        page = layout.NOTE.pack(number, len(text), zlib.crc32(text)) + text
        pages += page.ljust(_PAGE_BYTES, b"\0")
    return pages


def _timeline(points: Sequence[Point], room: int) -> bytes:
    """Place the newest points in the finest tier, older ones in coarser ones; each ring has turned."""
    rings, left = b"", list(points)
    for _, count in layout.TIERS:
        here, left = left[-count:], left[:-count]
        turned = [*here[len(here) // 2 :], *here[: len(here) // 2]]
        rings += b"".join(map(_point, turned)).ljust(count * layout.POINT.size, b"\0")
    return rings[: room * layout.POINT.size]


def _point(moment: Point) -> bytes:
    def known(value: int | None, unknown: int) -> int:
        return unknown if value is None else value

    sizes = (
        *(moment.rss, moment.rss_peak, moment.uss, moment.python_in_use, moment.python_free),
        *(moment.malloc_in_use, moment.malloc_free),
    )
    counts = (*moment.gc_counts, moment.gc_collections, moment.tasks, moment.threads, 0)
    body = layout.POINT.pack(
        *(moment.time, moment.uptime),
        *(known(size, layout.UNKNOWN64) for size in sizes),
        *(known(count, layout.UNKNOWN32) for count in counts),
        0,
    )[:-4]
    return body + struct.pack("<I", zlib.crc32(body))


def _live(recorded: Recording, half: int, generation: int) -> bytes:
    process = recorded.process
    level = (recorded.current_interval_bytes // recorded.interval_bytes).bit_length() - 1
    return layout.LIVE.pack(
        *(process.pid, process.parent_pid, round(process.began * 1e9), 123_456_789),
        *(recorded.interval_bytes, level, 0, generation, half),
        *(len(recorded.samples), recorded.sampled, recorded.dropped),
        *(recorded.forgotten_bytes, recorded.forgotten_blocks),
        *(_STATES[process.state], process.status, round((process.ended or 0) * 1e9)),
    )
