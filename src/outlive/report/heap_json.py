"""What a heap snapshot tells as JSON documents (schema 1); sizes are bytes, times seconds."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from outlive.report.heap_table import always_grew, grown, is_reversed
from outlive.report.heap_tree import branches_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from outlive.heap.dominators import Branch
    from outlive.model.heap import Change, Duplicate, Holder, SnapshotInfo, Suspect, Total


def census_json(info: SnapshotInfo, totals: Sequence[Total], limit: int | None) -> dict[str, object]:
    """Return the totals by type, or by what was asked for; the key is "types" in any case."""
    types = [_total(total) for total in totals[:limit]]
    return {**_document(info), "types": types, "types_left_out": len(totals) - len(types)}


def growth_json(
    infos: Sequence[SnapshotInfo], changes: Sequence[Change], limit: int | None
) -> dict[str, object]:
    """Return by how much each type's figures grew, and in "counts" and so on what they were."""
    types = [
        {
            "type": change.name,
            "count": grown(change.counts),
            "shallow_bytes": grown(change.shallow_bytes),
            "retained_bytes": grown(change.retained_bytes),
            "always_grew": always_grew(change),
            "each": {
                "count": change.counts,
                "shallow_bytes": change.shallow_bytes,
                "retained_bytes": change.retained_bytes,
            },
        }
        for change in changes[:limit]
    ]
    return {
        "schema": 1,
        "snapshots": [asdict(info) for info in infos],
        "reversed": is_reversed(infos),
        "types": types,
        "types_left_out": len(changes) - len(types),
    }


def holders_json(
    info: SnapshotInfo, target: str, holders: Sequence[Holder], limit: int | None
) -> dict[str, object]:
    """Return the ways in which `target` is held."""
    given = [asdict(holder) for holder in holders[:limit]]
    return {**_document(info), "target": target, "holders": given}


def retained_json(info: SnapshotInfo, target: str, retained_bytes: int) -> dict[str, object]:
    """Return what would be freed with `target`."""
    return {**_document(info), "target": target, "retained_bytes": retained_bytes}


def dominators_json(info: SnapshotInfo, branches: Sequence[Branch], limit: int) -> dict[str, object]:
    """Return the objects that alone keep most alive, as a tree."""
    return {**_document(info), "dominators": branches_json(branches, limit)}


def suspects_json(info: SnapshotInfo, suspects: Sequence[Suspect], limit: int | None) -> dict[str, object]:
    """Return what keeps unusually much alive."""
    given = [
        {**asdict(suspect), "content": [_total(total) for total in suspect.content]}
        for suspect in suspects[:limit]
    ]
    return {**_document(info), "suspects": given}


def duplicates_json(
    info: SnapshotInfo, duplicates: Sequence[Duplicate], limit: int | None
) -> dict[str, object]:
    """Return what is kept more than once."""
    return {**_document(info), "duplicates": [asdict(each) for each in duplicates[:limit]]}


def rows_json(
    info: SnapshotInfo, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> dict[str, object]:
    """Return rows of a query; what JSON has no word for becomes text."""
    given = [[_plain(value) for value in row] for row in rows]
    return {**_document(info), "columns": list(columns), "rows": given}


def _document(info: SnapshotInfo) -> dict[str, object]:
    return {"schema": 1, "snapshot": asdict(info)}


def _total(total: Total) -> dict[str, object]:
    figures: dict[str, object] = {
        "type": total.name,
        "count": total.count,
        "shallow_bytes": total.shallow_bytes,
        "retained_bytes": total.retained_bytes,
    }
    if total.shallow is not None:
        figures["in_use_bytes"] = asdict(total.shallow)
    return figures


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
