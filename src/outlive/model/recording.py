"""What a recording says, once it is read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from outlive.model.breakdown import Breakdown
    from outlive.model.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Frame:
    """One line of a stack. `file` is as the code names it; "" where no Python code ran."""

    function: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Stack:
    """An allocation site: frames from the allocating line outwards, and what it allocated since the start.

    `cut`: there were more frames than are kept. `late_bytes` outlived their run and died since, when at least
    three more runs of the scope had begun; `late_samples` is how many samples say so.
    """

    frames: tuple[Frame, ...]
    allocated_bytes: float
    allocated_blocks: float
    cut: bool
    late_bytes: float = 0.0
    late_samples: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """A live block that was sampled; it stands for size / (1 - exp(-size / interval_bytes)) bytes.

    `born` is in seconds since the recording began, `thread` the kernel's number of the thread, `scope` and
    `run` the number of the scope and of its run, 0 for none. `from_malloc`: an extension took it from malloc
    itself.
    """

    address: int
    size: int
    interval_bytes: int
    stack: int
    born: float
    thread: int
    run: int
    from_malloc: bool = False
    scope: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """The process at one moment. `time` is Unix time, `uptime` seconds since the recording began.

    None: not known then. `rss_peak` is the largest RSS seen since the point before.
    """

    time: float
    uptime: float
    rss: int | None
    rss_peak: int | None
    uss: int | None
    python_in_use: int | None
    python_free: int | None
    malloc_in_use: int | None
    malloc_free: int | None
    gc_counts: tuple[int | None, int | None, int | None]
    gc_collections: int | None
    tasks: int | None
    threads: int | None


@dataclass(frozen=True, slots=True)
class Process:
    """Whose recording it is. `notes` is the JSON object that the process wrote of itself ({} if torn)."""

    pid: int
    parent_pid: int  # of the recorded process that it was forked from, else 0
    began: float  # Unix time
    state: str  # "running" (or killed without a word), "stopped", "exited", "signalled"
    status: int  # exit status, or the signal's number
    ended: float | None  # Unix time
    notes: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Scope:
    """A unit of work, by name, and how many runs of it there were. Runs count from 1 up.

    One with labels has a `base`, the number of the scope without: that counts the runs of all of them.
    """

    name: str  # labels included
    base: int  # its own number, if it has no labels
    began: int
    ended: int
    in_use_bytes: float
    high_bytes: float  # the most that was in use at any time


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that has not ended; it began so many seconds after the recording."""

    scope: int
    run: int
    began: float


@dataclass(frozen=True, slots=True)
class Recording:
    """One process's recording at one moment."""

    process: Process
    interval_bytes: int  # as asked for
    current_interval_bytes: int  # as new samples are taken: raised while there are too many
    sampled: int  # since the start
    dropped: int  # samples lost to a cap
    torn: int  # slots and points that were being written, or are damaged
    forgotten_bytes: float  # allocated by stacks that gave way to others since
    forgotten_blocks: float
    samples: tuple[Sample, ...]
    stacks: Mapping[int, Stack]
    timeline: tuple[Point, ...]  # oldest first
    breakdown: Breakdown | None
    scopes: Mapping[int, Scope] = field(default_factory=dict)
    open_runs: tuple[OpenRun, ...] = ()
    runs_untracked: int = 0  # too many were open to tell whether these are


@dataclass(frozen=True, slots=True)
class SiteTotal:
    """What one stack holds now and has allocated in all, estimated from samples."""

    stack: Stack
    scope: str  # "" outside of any
    in_use: Estimate
    blocks: float
    samples: int
