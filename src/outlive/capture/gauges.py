"""What a process has in use, by exact counters: read again and again, they show growth.

A reading takes some 100 microseconds: pymalloc and malloc are asked for their sums, the kernel for the rest.
"""

from __future__ import annotations

import os
import sys

from outlive.capture import pymalloc, rss
from outlive.capture.core import native

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from asyncio import Task

MEMORY = "memory"
MAPPED = "mapped memory"
BLOCKS = "blocks"
FILES = "file descriptors"
THREADS = "threads"
TASKS = "asyncio tasks"
SPACE = "address space"

GAUGES = (MEMORY, MAPPED, SPACE, BLOCKS, FILES, THREADS, TASKS)
SIZES = (MEMORY, MAPPED, SPACE)  # in bytes; of others there are so many


def read() -> tuple[int, ...]:
    """Return a figure for each of GAUGES.

    `memory`: bytes of live blocks, Python's and malloc's, whoever asked for them. `mapped memory`: resident
    bytes, no file's, that neither of the two has, as of libraries that map their own; rough, and below zero
    where pages of the two are untouched. `address space`: the same, touched or not, and files too. `blocks`:
    of Python's small ones. `asyncio tasks`: not done, of every loop.

    Raises:
        OSError: /proc can't be read.

    """
    _, report, malloc = native.heap()
    in_use, free = pymalloc.figures(report, "bytes in allocated blocks", "bytes in available blocks") or (
        0,
        0,
    )
    taken, allocated, _, mapped = malloc or (0, 0, 0, 0)
    anonymous, shared, space = rss.status("self", "RssAnon", "RssShmem", "VmSize")
    known = in_use + free + taken + mapped
    return (
        in_use + allocated + mapped,
        anonymous + shared - known,
        space - known,
        sys.getallocatedblocks(),
        len(os.listdir("/proc/self/fd")),  # noqa: PTH208
        len(os.listdir("/proc/self/task")),  # noqa: PTH208
        len(_live_tasks()),
    )


def _live_tasks() -> list[Task[object]]:
    asyncio = sys.modules.get("asyncio.tasks")
    if asyncio is None:
        return []
    # No public call knows the tasks of loops that don't run now. 3.12 tells eager ones apart. An
    # iterated weak set leaves garbage: its references are asked themselves.
    known = getattr(asyncio, "_scheduled_tasks", None) or getattr(asyncio, "_all_tasks", None)
    tasks = [ref() for ref in getattr(known, "data", set()).copy()]
    return [task for task in tasks if task is not None and not task.done()]


def names(gauge: str) -> list[str]:
    """Return what there is of file descriptors, threads or tasks by name, [] for other gauges."""
    if gauge == FILES:
        return [_target(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]  # noqa: PTH208
    if gauge == THREADS:
        threading = sys.modules.get("threading")
        return [] if threading is None else [thread.name for thread in threading.enumerate()]
    if gauge == TASKS:
        return [getattr(task.get_coro(), "__qualname__", "?") for task in _live_tasks()]
    return []


def _target(link: str) -> str:
    try:
        return os.readlink(link)  # noqa: PTH115
    except OSError:  # of the listing itself
        return ""
