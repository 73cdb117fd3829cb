"""The timeline: three rings, the coarser ones reaching further back."""

from __future__ import annotations

import zlib

from outlive.model import layout
from outlive.model.recording import Point

_LATEST = 253402300799.0  # the last second of the year 9999: what the calendar can show
_CHECKED_BYTES = layout.POINT.size - 4
_EMPTY = bytes(layout.POINT.size)


def points(rings: bytes) -> tuple[tuple[Point, ...], int]:
    """Return the points, oldest first, and the number of those that are torn.

    Of each moment the finest ring that still has it is taken. Order is by uptime: clocks are set back.
    """
    kept: list[Point] = []
    torn = start = 0
    for _, count in layout.TIERS:
        ring, torn_here = _ring(rings[start : start + count * layout.POINT.size])
        torn += torn_here
        start += count * layout.POINT.size
        if kept:
            ring = [point for point in ring if point.uptime < kept[0].uptime]
        kept = ring + kept
    return tuple(kept), torn


def _ring(data: bytes) -> tuple[list[Point], int]:
    found, torn = [], 0
    for start in range(0, len(data) - layout.POINT.size + 1, layout.POINT.size):
        packed = data[start : start + layout.POINT.size]
        if packed == _EMPTY:
            continue
        time, uptime, *figures, check = layout.POINT.unpack(packed)
        sane = 0 <= time <= _LATEST and 0 <= uptime <= _LATEST
        if not sane or check != zlib.crc32(packed[:_CHECKED_BYTES]):
            torn += 1
            continue
        sizes = [None if size == layout.UNKNOWN64 else size for size in figures[:7]]
        counts = [None if count == layout.UNKNOWN32 else count for count in figures[7:13]]
        figures = [*sizes, (counts[0], counts[1], counts[2]), *counts[3:]]
        found.append(Point(time, uptime, *figures))
    found.sort(key=lambda point: point.uptime)
    return found, torn
