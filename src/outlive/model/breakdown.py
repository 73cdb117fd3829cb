"""How a process's resident memory divides."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Breakdown:
    """RSS and its parts, in resident bytes; None where it can't be known.

    python_in_use + python_free + malloc_in_use + malloc_free + heap + anonymous + file + stacks + unexplained
    = rss, None counting as nothing. `python_free` is pymalloc's, `malloc_in_use` outside Python's allocators,
    `malloc_free` what trimming can give back, `anonymous` mappings of neither, `file` pages of files and of
    shared memory. `unexplained` is below zero when memory was freed while it was measured, or is swapped out.
    """

    rss: int
    python_in_use: int | None
    python_free: int | None
    malloc_in_use: int | None
    malloc_free: int | None
    anonymous: int
    file: int
    stacks: int
    unexplained: int
    limit: int | None = None  # the cgroup's memory limit, None without one
    limit_usage: int | None = None  # what is charged to that cgroup now
    # What of python_in_use are blocks over 512 bytes, estimated; None: not known, they are in malloc_in_use.
    python_large: int | None = None
    heap: int | None = None  # malloc's heaps, where it can't be told what in them is in use and what is free
    swapped: int | None = None  # the process's own memory that is swapped out: not in rss


@dataclass(frozen=True, slots=True)
class Trimmed:
    """RSS before and after malloc gave back what it had free."""

    rss_before: int
    rss_after: int
