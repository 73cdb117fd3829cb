"""A snapshot at a prompt or in a notebook: what it answers prints as the command of that name prints it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.heap.dominators import Branch
from outlive.heap.snapshot import Snapshot
from outlive.report.heap_holders import holders_text, suspects_text
from outlive.report.heap_results import Results
from outlive.report.heap_table import census_table, duplicates_table, growth_table
from outlive.report.heap_tree import dominators_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from outlive.heap.census import By
    from outlive.heap.filters import Filter
    from outlive.model.heap import Change, Dominator, Duplicate, Holder, Suspect, Total


class PrintedSnapshot(Snapshot):
    """A `Snapshot` of which the lists print as text."""

    def census(self, by: By = "type", limit: int | None = None) -> list[Total]:
        """See `Snapshot.census`."""
        totals = super().census(by, limit)
        return Results(totals, lambda shown: census_table(shown, None, what=by.capitalize()))

    def diff(self, *later: Snapshot, limit: int | None = None) -> list[Change]:
        """See `Snapshot.diff`."""
        return _changes(super().diff(*later, limit=limit))

    def growth(self, *before: Snapshot, limit: int | None = None) -> list[Change]:
        """See `Snapshot.growth`."""
        return _changes(super().growth(*before, limit=limit))

    def why(
        self, what: object, limit: int | None = 10, ignore: Iterable[Filter | str] | None = None
    ) -> list[Holder]:
        """See `Snapshot.why`."""
        holders = super().why(what, limit, ignore)
        # Never isinstance, nor a look at the object, which may run code of its own.
        name = str(what) if type(what) in (str, int) else "it"
        is_shared = self.is_shared(what)
        return Results(holders, lambda shown: holders_text(name, shown, None, is_shared=is_shared))

    def dominators(self, limit: int = 10, below: int | None = None) -> list[Dominator]:
        """See `Snapshot.dominators`."""

        def text(shown: Sequence[Dominator]) -> str:
            branches = [Branch(one, (), 0, 0) for one in shown]
            return dominators_tree(branches, self.index.total_bytes, len(branches))

        return Results(super().dominators(limit, below), text)

    def suspects(self) -> list[Suspect]:
        """See `Snapshot.suspects`."""
        return Results(super().suspects(), lambda shown: suspects_text(shown, None))

    def duplicates(self, limit: int = 10) -> list[Duplicate]:
        """See `Snapshot.duplicates`."""
        return Results(super().duplicates(limit), lambda shown: duplicates_table(shown, None))


def _changes(changes: list[Change]) -> list[Change]:
    return Results(changes, lambda shown: growth_table(shown, None))
