"""What a heap snapshot tells: plain figures and words, no arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outlive.model.estimate import Estimate


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """Of which process a snapshot is, and what it cost. Bytes and seconds; `taken` is Unix time."""

    pid: int
    python: str  # "3.12.1"
    taken: float
    pause_seconds: float  # how long the process stood still
    walk_seconds: float
    objects: int
    references: int
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Total:
    """What objects of one type, module or allocation site come to.

    `retained_bytes` is what would be freed if all of them were gone: their own and what only they lead to.
    """

    name: str
    count: int
    shallow_bytes: int
    retained_bytes: int
    shallow: Estimate | None = None  # with its interval, where it is an estimate


@dataclass(frozen=True, slots=True)
class Change:
    """How a total changed from one snapshot to the next ones; figures are one a snapshot."""

    name: str
    counts: tuple[int, ...]
    shallow_bytes: tuple[int, ...]
    retained_bytes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Root:
    """Where a holder path begins.

    `kind`: "module", "thread", "task", "interpreter", "static type", "immortal", "native reference",
    "garbage" (nothing holds it but a cycle).
    """

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Holder:
    """A way in which objects are held, from the root on: one signature, and how many objects it holds so.

    `path` has the root's words first, then a step each; `text` is the whole as people read it. `made` is the
    line that made most of the objects, "" if no sampler saw one of them.
    """

    count: int
    retained_bytes: int
    root: Root
    path: tuple[str, ...]
    text: str
    made: str = ""


@dataclass(frozen=True, slots=True)
class Dominator:
    """An object that alone keeps `retained_bytes` alive. `held` is how it is reached, in words."""

    object: int
    type: str
    shallow_bytes: int
    retained_bytes: int
    held: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """A big dominator, or a group of them, with the point where their memory accumulates."""

    count: int
    type: str
    retained_bytes: int
    share: float  # of all bytes in the snapshot
    holder: str  # how it is reached
    accumulates_at: str  # the object below which the memory is spread over many
    content: tuple[Total, ...]  # what accumulates there, by type
    made: str = ""  # the line that made most of what accumulates; "" if no sampler saw any


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Equal values kept more than once: `wasted_bytes` are those of all but one. No value is shown."""

    type: str
    count: int
    bytes_each: int
    wasted_bytes: int
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overdue:
    """Watched objects of one type that should be dead and are not. `seconds`: since the first was watched."""

    type: str
    count: int
    seconds: float
    holders: tuple[Holder, ...]
