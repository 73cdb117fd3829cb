"""The timeline: what the process looked like, once a second, in rings that reach further and further back."""

from __future__ import annotations

import binascii
import gc
import resource
import sys
import time

from outlive.capture import proc
from outlive.model import layout

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    T = TypeVar("T")
    # In the order of layout.POINT: rss, its peak, uss, python in use, python free, malloc in use, malloc
    # free · gc counts of three generations, collections · tasks, threads
    Figures = list[int | None]

_SIZES, _FIGURES, _PEAK = 7, 13, 1
_FULL_POINT = layout.POINT.size - 4
# What takes time in proportion to the memory is looked at so seldom that it costs this share of a core.
_SHARE = 1 / 4000


class Ring:
    """One tier of points."""

    def __init__(self, offset: int, seconds: int, count: int, write: Callable[[int, bytes], None]) -> None:
        """Begin with none of `count` points, each for so many `seconds`; `write` takes them at `offset`."""
        self._offset, self._seconds, self._count, self._write = offset, seconds, count, write
        self._written = 0
        self._due = 0.0
        self._span: Figures = [None] * _FIGURES

    def add(self, now: float, uptime: float, figures: Figures) -> None:
        """Take figures in; at the end of a span, its last ones and its peak make a point."""
        span = self._span
        peak = max((each for each in (span[_PEAK], figures[_PEAK]) if each is not None), default=None)
        span[:] = [had if new is None else new for had, new in zip(span, figures, strict=True)]
        span[_PEAK] = peak
        if uptime < self._due:
            return
        self._due = (uptime // self._seconds + 1) * self._seconds
        place = self._offset + self._written % self._count * layout.POINT.size
        self._write(place, pack(now, uptime, span))
        self._written += 1
        span[:] = [None] * _FIGURES

    def end_span(self) -> None:
        """Let the next figures make a point."""
        self._due = 0.0


def pack(now: float, uptime: float, figures: Figures) -> bytes:
    """Return a point as it lies in the file."""
    sizes = (layout.UNKNOWN64 if each is None else each for each in figures[:_SIZES])
    counts = (layout.UNKNOWN32 if each is None else each % layout.UNKNOWN32 for each in figures[_SIZES:])
    point = layout.POINT.pack(now, uptime, *sizes, *counts, 0, 0)
    return point[:_FULL_POINT] + binascii.crc32(point[:_FULL_POINT]).to_bytes(4, "little")


class Seldom:
    """Spaces out a look that takes long, so that it costs next to nothing."""

    def __init__(self) -> None:
        """Begin with a look that is due."""
        self._due = 0.0

    def look(self, uptime: float, measure: Callable[[], T]) -> T | None:
        """Return what `measure` does; None if it is too early, or can't be known."""
        if uptime < self._due:
            return None
        began = time.thread_time()
        try:
            return measure()
        except Exception:  # noqa: BLE001 - the rest of the point is worth having
            return None
        finally:
            self._due = uptime + (time.thread_time() - began) / _SHARE


class Timeline:
    """What becomes of this process, looked at again and again."""

    def __init__(
        self,
        offset: int,
        began_ns: int,
        write: Callable[[int, bytes], None],
        measure: Callable[[], Mapping[str, Any]],
    ) -> None:
        """Begin the rings, at `offset` of the recording; `began_ns` is by CLOCK_MONOTONIC.

        `measure` says how memory divides, and may take long (breakdown.measure).
        """
        self._measure = measure
        self._began_ns = began_ns
        self._own_threads = 1
        self._rings = []
        for seconds, count in layout.TIERS:
            self._rings.append(Ring(offset, seconds, count, write))
            offset += count * layout.POINT.size
        self._peak = _peak_rss()
        self._uss, self._breakdown = Seldom(), Seldom()

    def look(self) -> dict[str, object]:
        """Add a point of now. Return what the notes are to say: how memory divides, if that was looked at."""
        # The clock that the machine sets may jump either way; this one orders the points.
        uptime = (time.monotonic_ns() - self._began_ns) / 1e9
        parts = self._breakdown.look(uptime, self._measure)
        figures = self._figures(uptime, parts or {})
        now = time.time()
        for ring in self._rings:
            ring.add(now, uptime, figures)
        return {"breakdown": parts} if parts else {}

    def last_look(self) -> dict[str, object]:
        """As `look`, from a thread of the program's: even a moment after the last, and at all there is."""
        self._own_threads = 0
        self._uss, self._breakdown = Seldom(), Seldom()
        self._rings[0].end_span()
        return self.look()

    def _figures(self, uptime: float, parts: Mapping[str, Any]) -> Figures:
        rss = proc.rss_bytes()
        return [
            rss,
            self._peak_since(rss),
            parts.get("uss") or self._uss.look(uptime, proc.uss_bytes),
            parts.get("python_in_use"),
            parts.get("python_free"),
            parts.get("malloc_in_use"),
            parts.get("malloc_free"),
            *gc.get_count(),
            sum(generation["collections"] for generation in gc.get_stats()),
            tasks(),
            self._host_threads(),
        ]

    def _host_threads(self) -> int | None:
        count = proc.threads()
        return count - self._own_threads if count is not None else None

    def _peak_since(self, rss: int | None) -> int | None:
        """Return the largest RSS since the point before: the process's record if it was broken meanwhile."""
        record, before = _peak_rss(), self._peak
        self._peak = record
        return record if record > before else rss


def _peak_rss() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def tasks() -> int | None:
    """Return the number of asyncio tasks there are, finished ones that something still holds included.

    Counts without looking: from another thread, a reference taken might be the last one of a task.
    """
    module = sys.modules.get("asyncio.tasks")
    if module is None:
        return None
    # Internals of 3.11, and of 3.12 and 3.13.
    sets = [getattr(module, name, None) for name in ("_all_tasks", "_scheduled_tasks", "_eager_tasks")]
    known = [len(each) for each in sets if each is not None]
    return sum(known) if known else None
