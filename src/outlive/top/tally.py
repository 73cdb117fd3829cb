"""A recording added up: what each stack holds, since when, and what came and went since a mark."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING

from outlive.recording.difference import changed, minus
from outlive.recording.totals import Sum, is_own, key_of, sums
from outlive.report.program_text import last_seen
from outlive.top.rows import ORDERS, Row, is_wanted, name_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from outlive.model.recording import Recording, Sample, Stack
    from outlive.top.rows import Choice


@dataclass(slots=True)
class _Group:
    """Stacks that are one row: what they hold, what came and went since the mark, their births added up."""

    now: Sum = field(default_factory=Sum)
    came: Sum = field(default_factory=Sum)
    went: Sum = field(default_factory=Sum)
    births: float = 0.0
    weight: float = 0.0
    stacks: list[tuple[Stack, float]] = field(default_factory=list)


class Tally:
    """One recording, added up once for every choice of table. outlive's own memory is left out."""

    def __init__(self, recording: Recording, mark: Recording | None = None) -> None:
        """Add up; with a mark, what has come and gone since, too."""
        self._now = list(_by_stack(recording.samples, recording))
        self._births = _births(recording.samples)
        came, went = changed(mark, recording) if mark is not None else ([], [])
        self._came = list(_by_stack(came, recording))
        self._went = list(_by_stack(went, mark)) if mark is not None else []
        self._marked = mark is not None
        intervals = [one.current_interval_bytes for one in (recording, mark or recording)]
        self._unit = max(intervals)
        self.uptime = last_seen(recording) - recording.process.began
        whole = Sum()
        for _, _, held in self._now:
            whole.merge(held)
        self.in_use = whole.estimate

    def rows(self, choice: Choice) -> list[Row]:
        """Return the table, its first row first."""
        groups: dict[Hashable, _Group] = {}

        def wanted(part: list[tuple[int, Stack, Sum]]) -> Iterator[tuple[int, Stack, Sum, _Group]]:
            for number, stack, held in part:
                if is_wanted(stack, choice):
                    yield number, stack, held, groups.setdefault(key_of(stack, choice.group), _Group())

        for number, stack, held, group in wanted(self._now):
            group.now.merge(held)
            group.stacks.append((stack, held.total))
            births, weight = self._births[number]
            group.births += births
            group.weight += weight
        for _, _, held, group in wanted(self._came):
            group.came.merge(held)
        for _, stack, held, group in wanted(self._went):
            group.went.merge(held)
            group.stacks.append((stack, 0.0))
        rows = [self._row(choice, key, group) for key, group in groups.items()]
        rows.sort(key=ORDERS[choice.sort], reverse=True)
        return rows

    def _row(self, choice: Choice, key: Hashable, group: _Group) -> Row:
        stacks = sorted(group.stacks, key=itemgetter(1), reverse=True)
        changed = group.came.samples or group.went.samples
        return Row(
            key=key,
            name=name_of(stacks[0][0], choice.group),
            in_use=group.now.estimate,
            growth=minus(group.came, group.went, self._unit) if self._marked and changed else None,
            blocks=group.now.blocks,
            age=max(0.0, self.uptime - group.births / group.weight) if group.weight else None,
            stacks=tuple(stacks),
        )


def _by_stack(samples: tuple[Sample, ...] | list[Sample], of: Recording) -> Iterator[tuple[int, Stack, Sum]]:
    for number, held in sums(samples).items():
        stack = of.stacks[number]
        if not is_own(stack):
            yield number, stack, held


def _births(samples: tuple[Sample, ...]) -> dict[int, tuple[float, float]]:
    """By stack: births added up as often as they weigh, and the weights.

    A sample stands for its size or an interval, whichever is more: near enough for an age.
    """
    found: dict[int, tuple[float, float]] = {}
    for sample in samples:
        births, weights = found.get(sample.stack, (0.0, 0.0))
        weight = max(sample.size, sample.interval_bytes)
        found[sample.stack] = births + weight * sample.born, weights + weight
    return found
