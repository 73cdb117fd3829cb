"""The scopes of a recording, and their open runs."""

from __future__ import annotations

from outlive.model import layout
from outlive.model.printable import printable
from outlive.model.recording import OpenRun, Scope
from outlive.recording.table import whole

_OTHERS = "(other scopes)"  # the row that has no name


def scopes(rows: bytes, used: int) -> dict[int, Scope]:
    """Return the scopes that have begun a run, by number."""
    found: dict[int, Scope] = {}
    for number, row in enumerate(layout.SCOPE.iter_unpack(rows[: used * layout.SCOPE.size])):
        base, _, began, ended, in_use, high, name = row
        if began and number and 0 < base < used:
            text = name.partition(b"\0")[0].decode(errors="replace") or _OTHERS
            ended = min(ended, began)
            found[number] = Scope(
                printable(text), base, began, ended, whole(in_use) or 0.0, whole(high) or 0.0
            )
    return found


def open_runs(rows: bytes, used: int) -> tuple[OpenRun, ...]:
    """Return the runs that have not ended, oldest first."""
    found = [
        OpenRun(scope, run, began / 10)
        for run, scope, began, _ in layout.RUN.iter_unpack(rows)
        if run and 0 < scope < used
    ]
    return tuple(sorted(found, key=lambda each: (each.began, each.run)))
