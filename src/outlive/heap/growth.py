"""What grew from one census to the next. Objects have no identity that outlasts a snapshot: types have."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from outlive.model.heap import Change, Total

if TYPE_CHECKING:
    from collections.abc import Sequence


def changes(censuses: Sequence[Sequence[Total]], limit: int | None = None) -> list[Change]:
    """Return what differs between censuses, oldest first, by name; what grew by the most bytes comes first.

    A name that a census lacks counts 0 there.
    """
    by_name = [{total.name: total for total in census} for census in censuses]
    found = []
    for name in sorted(set().union(*by_name)):
        totals = [census.get(name) or Total(name, 0, 0, 0) for census in by_name]
        change = Change(
            name,
            tuple(total.count for total in totals),
            tuple(total.shallow_bytes for total in totals),
            tuple(total.retained_bytes for total in totals),
        )
        if any(len(set(figures)) > 1 for figures in (change.counts, change.shallow_bytes)):
            found.append(change)
    return sorted(found, key=_grown, reverse=True)[:limit]


def grown(censuses: Sequence[Sequence[Total]], limit: int | None = None) -> list[Change]:
    """Return what never shrank between censuses and grew by the last: more objects, or more bytes in them."""
    found = [
        change
        for change in changes(censuses)
        if (_ascends(change.counts) and change.counts[-1] > change.counts[0])
        or (_ascends(change.shallow_bytes) and change.shallow_bytes[-1] > change.shallow_bytes[0])
    ]
    return found[:limit]


def _grown(change: Change) -> tuple[int, int, int]:
    shallow, counts, retained = change.shallow_bytes, change.counts, change.retained_bytes
    return shallow[-1] - shallow[0], counts[-1] - counts[0], retained[-1] - retained[0]


def _ascends(figures: Sequence[int]) -> bool:
    return all(before <= after for before, after in pairwise(figures))
