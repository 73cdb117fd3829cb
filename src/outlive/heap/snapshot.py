"""A snapshot as people ask it: `outlive.open("now.heap")`. Each question is answered in a file of its own."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from outlive.errors import UsageError
from outlive.heap.columns import Columns
from outlive.heap.index import Index

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from outlive.heap.census import By
    from outlive.heap.dominators import Branch
    from outlive.heap.filters import Filter
    from outlive.heap.holders import Holders
    from outlive.model.heap import Change, Dominator, Duplicate, Holder, SnapshotInfo, Suspect, Total

_SHOWN = 10


class Snapshot:
    """The heap graph of a process at one moment.

    Opening it checks the file; what takes long is worked out when first asked for, and kept. The file is
    mapped: leave it in place, and as it is, as long as the snapshot is used.

    Where an object is asked for (`what`), that is the name of a type, in full or its last parts; an address,
    "0x7f…"; an object's number; or, of a snapshot of this process, the object itself.

    Args:
        source: the file's path, or a descriptor of it, which may be closed afterwards.

    Raises:
        OutliveError: there is no such file, it can't be read, is no snapshot, of a newer version, not
            complete, cut short, or damaged.

    """

    def __init__(self, source: str | os.PathLike[str] | int) -> None:
        self.columns = Columns(source)
        self.index = Index(self.columns)

    @property
    def info(self) -> SnapshotInfo:
        """Of which process it is, when it was taken, and what that cost."""
        return self.columns.info

    def census(self, by: By = "type", limit: int | None = None) -> list[Total]:
        """Return how many objects there are of each type and what they take, most retained bytes first.

        Args:
            by: "type"; "module" for the modules that the types are from; "site" for the lines that made
                the objects, if a sampler ran: those figures are estimates.
            limit: how many at most; None for all.

        """
        from outlive.heap import census

        return census.census(self.index, by, limit)

    def diff(self, *later: Snapshot, limit: int | None = None) -> list[Change]:
        """Return what changed from this snapshot to the last of later ones, the largest growth first.

        Raises:
            UsageError: there is none to compare with.

        """
        from outlive.heap import growth

        return growth.changes(_censuses(self, *later), limit)

    def growth(self, *before: Snapshot, limit: int | None = None) -> list[Change]:
        """Return what grew from the first of earlier snapshots to this one, the largest growth first.

        What shrank in between is not among it: with more snapshots there is less noise.

        Raises:
            UsageError: there is none to compare with.

        """
        from outlive.heap import growth

        return growth.grown(_censuses(*before, self), limit)

    def why(
        self, what: object, limit: int | None = 10, ignore: Iterable[Filter | str] | None = None
    ) -> list[Holder]:
        """Return the ways in which objects are held, what keeps most alive first.

        Args:
            what: which objects; see Snapshot.
            limit: how many ways at most.
            ignore: filters of what to look around, or their names; None for `filters.NOISE`.

        """
        from outlive.heap import filters, find

        chosen = filters.NOISE if ignore is None else filters.chosen(ignore)
        return self._holders.why(find.objects(self.index, what), limit, chosen)

    def is_shared(self, what: object) -> bool:
        """Return whether the interpreter itself keeps these objects: small ints, None, interned constants."""
        from outlive.heap import find

        return self.index.are_shared(find.objects(self.index, what))

    def retained(self, what: object) -> int:
        """Return the bytes that would be freed if these objects were gone, with what only they lead to."""
        from outlive.heap import find

        return self.index.retained_by(find.objects(self.index, what))

    def dominators(self, limit: int = 10, below: int | None = None) -> list[Dominator]:
        """Return the objects that alone keep most alive: at the top, or of those that `below` dominates."""
        from outlive.heap import dominators

        return dominators.largest(self.index, self._held, limit, self._row(below))

    def dominator_tree(self, below: int | None = None, depth: int = 4) -> tuple[Branch, ...]:
        """Return the dominator tree, for a treemap: `depth` levels of what is large enough to be seen."""
        from outlive.heap import dominators

        return dominators.tree(self.index, self._held, self._row(below), depth=depth)

    def suspects(self) -> list[Suspect]:
        """Return what keeps unusually much alive: single objects, and many of a type; largest first."""
        from outlive.heap import suspects

        return suspects.suspects(self.index, self._held)

    def duplicates(self, limit: int = 10) -> list[Duplicate]:
        """Return equal values that are kept more than once, those that waste most first.

        Raises:
            OutliveError: the snapshot was taken without hashes of contents.

        """
        from outlive.heap import duplicates

        return duplicates.duplicates(self.index, self._held, limit)

    def sql(self, query: str) -> tuple[Sequence[str], list[tuple[Any, ...]]]:
        """Return the names of the columns and the rows that a query in SQL (DuckDB's) gives. It only reads.

        Raises:
            UsageError: DuckDB refuses the query, or it is none.

        """
        from outlive.heap import sql, tables

        return sql.query(tables.Source(self.columns, self.index), query)

    def backrefs(self, what: object, filename: str | os.PathLike[str], max_depth: int = 5) -> Path:
        """Draw what holds these objects, to a PNG or SVG file, and return its path."""
        from outlive.heap import find, picture

        return picture.backrefs(self._holders, find.objects(self.index, what), filename, max_depth)

    def convert(
        self, to: str, path: str | os.PathLike[str], progress: Callable[[int, int], None] | None = None
    ) -> Path:
        """Write it in another format, "parquet", "heapsnapshot", "dot" or "json", and return the path.

        `progress` is called now and then with how much is done, and of how much.
        """
        from outlive.heap import export

        more = () if progress is None else (progress,)
        return export.convert(self.columns, self.index, to, path, *more)

    def _repr_html_(self) -> str:
        """Return the largest types as a table, for a notebook."""
        import html

        totals = self.census()
        rows = "".join(
            f"<tr><td>{html.escape(total.name)}</td><td>{total.count:,}</td>"
            f"<td>{total.shallow_bytes:,}</td><td>{total.retained_bytes:,}</td></tr>"
            for total in totals[:_SHOWN]
        )
        more = f"<p>and {len(totals) - _SHOWN:,} types more</p>" if len(totals) > _SHOWN else ""
        head = "<tr><th>type</th><th>count</th><th>shallow bytes</th><th>retained bytes</th></tr>"
        return f"<p>{html.escape(repr(self))}</p><table>{head}{rows}</table>{more}"

    def __repr__(self) -> str:
        info = self.info
        return f"<Snapshot of process {info.pid}: {info.objects:,} objects, {info.references:,} references>"

    @cached_property
    def _holders(self) -> Holders:
        from outlive.heap.holders import Holders

        return Holders(self.columns, self.index)

    def _held(self, row: int) -> str:
        return self._holders.held(row)

    def _row(self, number: int | None) -> int | None:
        from outlive.heap import find

        return None if number is None else int(find.objects(self.index, number)[0])


def _censuses(*snapshots: Snapshot) -> list[list[Total]]:
    if len(snapshots) == 1:
        raise UsageError("growth is between two snapshots", "there is only one")
    return [snapshot.census() for snapshot in snapshots]
