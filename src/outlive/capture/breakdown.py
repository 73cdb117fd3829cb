"""How a process's resident memory divides: what its allocators say, laid over what the kernel says."""

from __future__ import annotations

import time

from outlive.capture import cgroup, pymalloc, rss
from outlive.errors import OutliveError
from outlive.model.size import MIB

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Mapping

    from outlive.model.breakdown import Breakdown

# pymalloc opens an arena only when no other has room: at most one has pools that were never touched.
_ARENA_BYTES = MIB


def measure(python_large_bytes: int | None) -> dict[str, int | float | None]:
    """Return how this process's memory divides now: what `heaps` and `divide` say, the limit, and "time".

    "seconds" is what it cost: milliseconds in a small process, tens of them at gigabytes. Who measures again
    and again spaces the calls by it.

    Args:
        python_large_bytes: what Python holds through malloc (blocks over 512 bytes), None if nobody knows.

    Raises:
        OSError: /proc can't be read.

    """
    began = time.perf_counter()
    said = heaps(python_large_bytes)
    area = rss.areas("self")
    # Where a heap finds no room to grow, malloc goes on in an anonymous mapping.
    said["heaps_spilled"] = max(0, (said["heaps_taken"] or 0) - area["heap_mapped"])
    figures: dict[str, int | float | None] = {**said, **divide(area, said), **limits("self")}
    figures["time"] = time.time()
    figures["seconds"] = time.perf_counter() - began
    return figures


def of_this_process() -> Breakdown:
    """See `outlive.breakdown`."""
    try:
        return breakdown(measure(None))
    except (OSError, RuntimeError) as error:  # RuntimeError: in a sub-interpreter
        raise OutliveError("can't measure where the memory of this process goes", str(error)) from error


def breakdown(figures: Mapping[str, int | float | None]) -> Breakdown:
    """Return the breakdown that `measure`'s figures, or `divide`'s and `limits`' together, hold."""
    from outlive.model.breakdown import Breakdown

    return Breakdown(**{name: figures[name] for name in Breakdown.__slots__})  # type: ignore[arg-type]


def heaps(python_large_bytes: int | None) -> dict[str, int | None]:
    """Return what this process's allocators say of themselves, in bytes; None where they can't be asked.

    "pymalloc_in_use" (pool headers included) and "pymalloc_free"; "heaps_taken" by malloc from the system,
    "heaps_in_use" and "heaps_free" in them, and "mapped", blocks of malloc's with a mapping of their own;
    "python_large" as it was given.
    """
    from outlive.capture.core import native

    allocators, report, malloc = native.heap()
    in_use, free = _pymalloc(report)
    if allocators in ("malloc", "malloc_debug"):  # then all of Python's blocks come from malloc
        in_use, free = None if python_large_bytes is None else 0, 0
    taken, heaps_in_use, heaps_free, mapped = malloc or (None, None, None, None)
    return {
        "pymalloc_in_use": in_use,
        "pymalloc_free": free,
        "heaps_taken": taken,
        "heaps_in_use": heaps_in_use,
        "heaps_free": heaps_free,
        "mapped": mapped,
        "python_large": python_large_bytes,
    }


def _pymalloc(report: str) -> tuple[int | None, int | None]:
    """Return (in use, free) as pymalloc reports them. What it loses to alignment is neither: untouched."""
    said = pymalloc.figures(
        report,
        "bytes in allocated blocks",
        "bytes lost to pool headers",
        "bytes lost to quantization",
        "bytes in available blocks",
        "unused pools",
    )
    return (None, None) if said is None else (sum(said[:3]), sum(said[3:]))


def divide(area: Mapping[str, int], said: Mapping[str, int | None]) -> dict[str, int | None]:
    """Return how the resident bytes divide, by model.Breakdown's names without the limit.

    Args:
        area: where they lie, as `rss.areas` tells.
        said: what the process's allocators say, as `heaps` tells; {} where nobody can ask them.

    """
    heap, anonymous = area["heap"], area["anonymous"]
    used, free = said.get("pymalloc_in_use"), said.get("pymalloc_free")
    large = 0 if used is None else said.get("python_large") or 0

    # What the allocators hold among the anonymous mappings. Not all of it need be touched: of pymalloc's an
    # arena at most, of malloc's large blocks any part.
    spilled = said.get("heaps_spilled") or 0
    python_free, mapped = free or 0, said.get("mapped") or 0
    lacking = max(0, (used or 0) + spilled + python_free + mapped - anonymous)
    untouched = min(lacking, python_free, _ARENA_BYTES)
    python_free -= untouched
    mapped = max(0, mapped - (lacking - untouched))
    anonymous = max(0, anonymous - (used or 0) - spilled - python_free - mapped)
    heap += spilled

    malloc_in_use = malloc_free = None
    heaps_in_use = said.get("heaps_in_use")
    if heaps_in_use is not None:
        in_heaps = min(heaps_in_use, heap)
        malloc_free = min(said.get("heaps_free") or 0, heap - in_heaps)
        large = min(large, in_heaps + mapped)
        malloc_in_use = in_heaps + mapped - large
        heap = 0
    else:
        large = min(large, heap + anonymous)
        heap, anonymous = max(0, heap - large), anonymous - max(0, large - heap)
    python_in_use = None if used is None else used + large

    parts = {
        "python_in_use": python_in_use,
        "python_free": None if free is None else python_free,
        "malloc_in_use": malloc_in_use,
        "malloc_free": malloc_free,
        "anonymous": anonymous,
        "file": area["file"],
        "stacks": area["stacks"],
        "heap": heap if heaps_in_use is None else None,
    }
    known = sum(part for part in parts.values() if part is not None)
    return {
        **parts,
        "rss": area["rss"],
        "unexplained": area["rss"] - known,
        "python_large": None if used is None or said.get("python_large") is None else large,
        "swapped": area["swapped"],
        "uss": area["uss"],
    }


def limits(pid: int | str) -> dict[str, int | None]:
    """Return the memory "limit" nearest to its "limit_usage" among a process's control groups."""
    group = cgroup.of_process(pid)
    return {"limit": group.limit, "limit_usage": group.usage}
