"""Lines that left something behind, and who holds it, as the heap says."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from outlive.diagnose import lines
from outlive.diagnose.growth import warm_up
from outlive.diagnose.survivors import together
from outlive.heap.filters import TYPES
from outlive.model.heap import Holder, Root
from outlive.rules.steps import growing, length

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from outlive.diagnose.survivors import ScopeSurvivors, SiteSurvivors
    from outlive.heap.blocks import Blocks

GARBAGE = "garbage"
_LINES_ASKED = 16  # of a scope, those with the most survivors: who holds what they made
_MATTERS = 0.02  # of a scope's survivors: a line with less is not asked about
_MATTERS_ALONE = 0.1  # the same where there is no heap: a line is a finding then
_OWN_TYPE_SHARE = 0.002  # of the objects of a line: a type of the program's own; one row has many values
_OWN_SHARE = 0.2  # of a line's bytes: held by the program's own modules, where a library's hold others
_TYPES_ASKED = 8
_PACKAGES_DEEP = 8  # folders above a file that may be packages
# What is freed of these waits in a list for the next who asks, and malloc hears nothing of it.
_FREE_LISTED = frozenset(("tuple", "list", "dict", "float"))


@dataclass(frozen=True, slots=True)
class Line:
    """What one line of the program left behind, by the stacks it was in, and who holds it."""

    sites: tuple[SiteSurvivors, ...]
    site: SiteSurvivors  # of them together
    types: tuple[str, ...] = ()  # the most frequent first
    is_own: bool = False  # whether the first type is the program's own
    share: float = 0.0  # of its blocks, objects of the first type
    recycled: float = 0.0  # of its bytes, those of objects that CPython hands from one owner to the next
    holders: tuple[Holder, ...] = ()

    @property
    def point(self) -> Hashable:
        """Where what it made accumulates: lines with one point have one finding."""
        if not self.holders:
            return self.site.frames[:1]
        first = self.holders[0]
        if first.root.kind == GARBAGE:
            return GARBAGE
        at = len(first.path) - 1 if _is_container(first) else growing(first)
        return first.root, first.path[: at if at >= 0 else len(first.path)]

    @property
    def weight(self) -> float:
        """Bytes of it that are alive, but for chance."""
        return sum(self.site.weights)

    @property
    def tells(self) -> tuple[bool, float]:
        """How much its type and holder say of what accumulates; less is more.

        Most does a type of the program's own, held directly; least, that what accumulates itself grew.
        """
        first = self.holders[0] if self.holders else None
        depth = math.inf if first is None or _is_container(first) else len(first.path)
        return not self.is_own, depth


def lines_of(scope: ScopeSurvivors, blocks: Blocks | None) -> tuple[list[Line], list[Line]]:
    """Return the lines that left something behind, most first: those that matter, and the others."""
    by_line: dict[Hashable, list[SiteSurvivors]] = defaultdict(list)
    for site in scope.sites:
        frame = lines.own_frame(site.frames)
        by_line[frame and (frame.file, frame.line)].append(site)
    made = (Line(tuple(sites), together(sites)) for sites in by_line.values())
    found = sorted(made, key=lambda line: line.weight, reverse=True)
    least = (_MATTERS if blocks is not None else _MATTERS_ALONE) * sum(line.weight for line in found)
    large = [line for line in found[:_LINES_ASKED] if line.weight >= least]
    if blocks is None:
        return large, found[len(large) :]
    own = frozenset(part for line in large for part in _packages(line.site))
    return [_asked(line, scope, blocks, own) for line in large], found[len(large) :]


def _asked(line: Line, scope: ScopeSurvivors, blocks: Blocks, own: frozenset[str]) -> Line:
    """Return a line with what the heap says of it; `own`: what the program's own types may be from."""
    site = line.site
    warm = warm_up(scope.runs.last)
    if not any(run > warm for run in site.runs):
        warm = 0
    # What the first runs loaded and filled is another matter.
    settled = [place for place, run in enumerate(site.runs) if run > warm]
    addresses = [site.addresses[place] for place in settled]
    found = blocks.objects(addresses)
    rows, heads = found.tolist(), blocks.are_objects(addresses, found).tolist()
    known = sorted({row for row in rows if row >= 0})
    if not known:
        native = not any(site.from_malloc[place] for place in settled)
        return replace(line, holders=(_held_by_native_code(site),)) if native else line
    type_of = dict(zip(known, blocks.types(np.array(known)), strict=True))
    sizes: dict[str, float] = defaultdict(float)
    counts: dict[str, float] = defaultdict(float)
    recycled = 0.0
    for place, row, is_head in zip(settled, rows, heads, strict=True):
        if row >= 0:
            sizes[type_of[row]] += site.weights[place]
            counts[type_of[row]] += site.blocks[place] if is_head else 0.0
            recycled += site.weights[place] if is_head and type_of[row] in _FREE_LISTED else 0.0
    count = sum(site.blocks[place] for place in settled)

    def rank(name: str) -> tuple[bool, float]:
        is_own = name.partition(".")[0] in own and counts[name] >= _OWN_TYPE_SHARE * count
        return not is_own, -sizes[name]

    def held(name: str) -> tuple[Holder, ...]:
        found = blocks.holders(np.array([row for row in known if type_of[row] == name]))
        return tuple(sorted(found, key=_is_container))

    libraries = frozenset(
        filter(None, map(lines.library, (frame for one in line.sites for frame in one.frames)))
    )
    types, holders = _held_by_own(sorted(sizes, key=rank), sizes, held, libraries)
    return replace(
        line,
        types=types,
        is_own=types[0].partition(".")[0] in own,
        share=counts[types[0]] / count,
        recycled=recycled / sum(sizes.values()),
        holders=holders,
    )


def _held_by_own(
    types: Sequence[str],
    sizes: Mapping[str, float],
    held: Callable[[str], tuple[Holder, ...]],
    libraries: frozenset[str],
) -> tuple[tuple[str, ...], tuple[Holder, ...]]:
    """Return the types, and how objects of the first are held.

    If the books of a library or of a class hold those, and the program's own modules a good part of the
    others, one of those is first: books of what there is end with it.
    """
    first = holders = held(types[0])
    if not _is_in_books(first, libraries):
        return tuple(types), first
    best, share = "", 0.0
    for name in types[1:_TYPES_ASKED]:
        others = held(name)
        if others and not _is_in_books(others, libraries) and others[0].root.kind == "module":
            best, holders = (best, holders) if best else (name, others)
            share += sizes[name]
    if not best or share < _OWN_SHARE * sum(sizes.values()):
        return tuple(types), first
    return (best, *(name for name in types if name != best)), holders


def _is_container(holder: Holder) -> bool:
    """Whether the one object held is what accumulates itself, as a table that grew, not a part of it."""
    last = len(holder.path) - 1
    return holder.count == 1 and growing(holder) in {-1, last} and length(holder.path[last]) > 1


def _is_in_books(holders: Sequence[Holder], libraries: frozenset[str]) -> bool:
    """Whether it is held by a library's module, what every class has, or a thread's dict of its variables."""
    if not holders or holders[0].root.kind not in {"module", "thread"}:
        return False
    root, path = holders[0].root, holders[0].path
    if root.kind == "thread":
        return path[1:2] == ("dict",)
    named = {step.lstrip(".") for step in path}
    return root.name.partition(".")[0] in libraries or not named.isdisjoint(TYPES.references)


def _held_by_native_code(site: SiteSurvivors) -> Holder:
    """Return the holder of blocks that no object has, though Python's allocators gave them."""
    said = "a block that is no object's"
    root = Root("native reference", said)
    text = f"native reference: {said}"
    return Holder(len(site.runs), round(site.in_use.estimate), root, (text,), text)


def _packages(site: SiteSurvivors) -> Iterator[str]:
    """Give the names that the modules of the program's own code may begin with."""
    yield "__main__"
    for frame in filter(lines.is_programs, site.frames):
        yield from PurePath(frame.file).with_suffix("").parts[-_PACKAGES_DEEP:]
