"""Samples added up: what each stack, line, function or file holds, with its interval."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from outlive.model.estimate import Estimate, poisson_estimate
from outlive.model.recording import SiteTotal, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from outlive.model.recording import Frame, Recording, Sample

Grouping = Literal["line", "function", "file", "stack"]

_OWN_FILES = (str(Path(__file__).parents[1]) + "/", "/site-packages/outlive/", "/dist-packages/outlive/")


@dataclass(slots=True)
class Sum:
    """What some samples stand for, by Horvitz and Thompson's estimator.

    A block of n bytes is sampled with probability p = 1 - exp(-n/R), R being the interval. So a sampled one
    stands for 1/p blocks and n/p bytes, and adds n^2 (1-p)/p^2 to the variance of the bytes.
    """

    total: float = 0.0
    variance: float = 0.0
    blocks: float = 0.0
    samples: int = 0

    def add(self, sample: Sample) -> None:
        """Take in a sample."""
        size = sample.size or 1  # an empty block takes a byte, or more, all the same
        chance = -math.expm1(-size / sample.interval_bytes)
        weight = size / chance
        self.total += weight
        self.variance += weight * weight * (1 - chance)
        self.blocks += 1 / chance
        self.samples += 1

    def merge(self, other: Sum) -> None:
        """Take in what other samples stand for."""
        self.total += other.total
        self.variance += other.variance
        self.blocks += other.blocks
        self.samples += other.samples

    @property
    def estimate(self) -> Estimate:
        """The bytes, with their interval."""
        return poisson_estimate(self.total, self.variance)


def sums(samples: Iterable[Sample]) -> dict[int, Sum]:
    """Add up samples by the number of their stack."""
    found: dict[int, Sum] = {}
    for sample in samples:
        if sample.stack not in found:
            found[sample.stack] = Sum()
        found[sample.stack].add(sample)
    return found


def is_own(stack: Stack) -> bool:
    """Return whether outlive itself made the allocation."""
    if not stack.frames:
        return False
    file = stack.frames[0].file
    return file.startswith(_OWN_FILES[0]) or any(folder in file for folder in _OWN_FILES[1:])


def key_of(stack: Stack, by: Grouping) -> tuple[Hashable, ...]:
    """Return what stacks that count as one site have in common."""
    return tuple(_KEYS[by](frame) for frame in (stack.frames if by == "stack" else stack.frames[:1]))


def grouped(recording: Recording, by: Grouping = "line") -> list[SiteTotal]:
    """Return what each site holds and has allocated, largest in use first; outlive's own left out.

    A site that several stacks make up has one frame: the line; or the function or file, with line 0. Its
    scope is that of most of what it holds.
    """
    held, of_scopes = sums(recording.samples), _by_scope(recording)
    groups: dict[Hashable, tuple[Stack, Sum]] = {}
    scopes: dict[Hashable, Counter[str]] = defaultdict(Counter)
    for number, stack in recording.stacks.items():
        if is_own(stack):
            continue
        key = key_of(stack, by)
        had, total = groups.get(key) or (_site(stack, by), Sum())
        total.merge(held.get(number, Sum()))
        scopes[key].update(of_scopes.get(number, {}))
        groups[key] = (
            replace(
                had,
                allocated_bytes=had.allocated_bytes + stack.allocated_bytes,
                allocated_blocks=had.allocated_blocks + stack.allocated_blocks,
            ),
            total,
        )
    sites = [
        SiteTotal(stack, _most(scopes[key]), total.estimate, total.blocks, total.samples)
        for key, (stack, total) in groups.items()
    ]
    return sorted(sites, key=lambda site: (site.in_use.estimate, site.stack.allocated_bytes), reverse=True)


def by_stack(recording: Recording) -> list[SiteTotal]:
    """Return what each whole stack holds and has allocated, largest in use first."""
    return grouped(recording, "stack")


def in_use(recording: Recording) -> Estimate:
    """Return what is alive of all that was allocated since the recording began, outlive's own left out."""
    whole = Sum()
    for number, total in sums(recording.samples).items():
        if not is_own(recording.stacks[number]):
            whole.merge(total)
    return whole.estimate


def _by_scope(recording: Recording) -> dict[int, Counter[str]]:
    """Return how many bytes each scope has of what a stack holds, "" for none; labels left aside."""
    found = defaultdict[int, Counter[str]](Counter)
    for sample in recording.samples if recording.scopes else ():
        row = recording.scopes.get(sample.scope)
        base = recording.scopes.get(row.base) if row is not None else None
        stands_for = max(sample.size, sample.interval_bytes)  # roughly
        found[sample.stack][base.name if base is not None else ""] += stands_for
    return found


def _most(scopes: Counter[str]) -> str:
    return max(scopes, key=lambda name: scopes[name], default="")


def _site(stack: Stack, by: Grouping) -> Stack:
    """Return the stack that stands for a group, with nothing allocated yet."""
    bare = replace(stack, allocated_bytes=0.0, allocated_blocks=0.0)
    if by == "stack" or not stack.frames:
        return bare
    frame = stack.frames[0]
    if by != "line":
        frame = replace(frame, line=0, function=frame.function if by == "function" else "")
    return replace(bare, frames=(frame,), cut=False)


_KEYS: dict[Grouping, Callable[[Frame], Hashable]] = {
    "line": lambda frame: frame,
    "function": lambda frame: (frame.file, frame.function),
    "file": lambda frame: frame.file,
    "stack": lambda frame: frame,
}
