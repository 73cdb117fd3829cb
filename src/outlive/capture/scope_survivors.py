"""How many bytes a scope's ended runs have left behind, by this process's own recording."""

from __future__ import annotations

import math
import os

from outlive.model import layout

_HEAD_BYTES = layout.SCOPES_OFFSET + layout.SCOPES.size
_CHUNK_BYTES = 2048 * layout.SLOT.size
_BYTES_MASK = (1 << 48) - 1
_NAME_MAX = 87  # of 88 bytes, one ends it


class Survivors:
    """Looks into a recording for a scope's figures."""

    def __init__(self, path: str) -> None:
        """Look into the recording at this path."""
        self._path = path
        self._rows: dict[str, int] = {}

    def at_most(self, scope: str) -> float | None:
        """Return what the scope has in use, open runs included; None if it is not known. Microseconds."""
        with _File(self._path) as file:
            row = self._row(file, scope)
            return None if row is None else max(0.0, row[4])

    def exactly(self, scope: str) -> float | None:
        """Return what ended runs left; None if it is not known. It may read all samples: milliseconds."""
        with _File(self._path) as file:
            row = self._row(file, scope)
            if row is None:
                return None
            if row[1] == 0:
                return max(0.0, row[4])
            base = self._rows[scope]
            rows = {number for number, each in file.scopes() if each[0] == base}
            open_runs = {run for run, row, _, _ in file.open_runs() if run and row in rows}
            if len(open_runs) < row[1]:  # so many are open that some are not told apart
                return None
            return file.bytes_of(rows, open_runs)

    def _row(self, file: _File, scope: str) -> tuple[int, int, int, int, float, float, bytes] | None:
        """Return the row of a scope without labels."""
        number = self._rows.get(scope)
        if number is not None:
            return file.scope(number)
        wanted = scope.encode(errors="replace")
        for number, row in file.scopes():
            name = row[6].partition(b"\0")[0]
            if (
                row[0] == number
                and name
                and (name == wanted or (len(wanted) > _NAME_MAX and wanted.startswith(name)))
            ):
                self._rows[scope] = number
                return row
        return None


class _File:
    """The recording's file while it is looked into."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._handle = -1

    def __enter__(self) -> _File:  # noqa: PYI034 - light: no typing
        self._handle = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            head = os.pread(self._handle, _HEAD_BYTES, 0)
            directory = layout.DIRECTORY.unpack_from(head)
            self._slots_at, self._totals_at = directory[8], directory[10]
            live = layout.LIVE.unpack_from(head, layout.LIVE_OFFSET)
            self._interval, self._slots_used = live[4], live[9]
            places = layout.SCOPES.unpack_from(head, layout.SCOPES_OFFSET)
            self._scopes_at, _, self._runs_at, self._runs, self._used, _ = places
        except BaseException:
            os.close(self._handle)
            raise
        return self

    def __exit__(self, *raised: object) -> None:
        os.close(self._handle)

    def scope(self, number: int) -> tuple[int, int, int, int, float, float, bytes]:
        """Return a row: its base, open runs, began, ended, bytes in use, at most, name."""
        size = layout.SCOPE.size
        return layout.SCOPE.unpack(os.pread(self._handle, size, self._scopes_at + number * size))

    def scopes(self) -> list[tuple[int, tuple[int, int, int, int, float, float, bytes]]]:
        """Return (number, row) of each scope."""
        rows = os.pread(self._handle, self._used * layout.SCOPE.size, self._scopes_at)
        whole = rows[: len(rows) // layout.SCOPE.size * layout.SCOPE.size]
        return list(enumerate(layout.SCOPE.iter_unpack(whole)))

    def open_runs(self) -> list[tuple[int, int, int, int]]:
        """Return (run, scope's row, when it began, spare) of each place for an open run."""
        rows = os.pread(self._handle, self._runs * layout.RUN.size, self._runs_at)
        whole = rows[: len(rows) // layout.RUN.size * layout.RUN.size]
        return list(layout.RUN.iter_unpack(whole))

    def bytes_of(self, rows: set[int], but: set[int]) -> float:
        """Return what samples of these rows stand for, without those of some runs."""
        found = 0.0
        end = min(self._totals_at, self._slots_at + self._slots_used * layout.SLOT.size)
        for at in range(self._slots_at, end, _CHUNK_BYTES):
            chunk = os.pread(self._handle, min(_CHUNK_BYTES, end - at), at)
            for address, word, _, _, thread, run in layout.SLOT.iter_unpack(
                chunk[: len(chunk) // layout.SLOT.size * layout.SLOT.size]
            ):
                if address and thread >> layout.THREAD_BITS in rows and run not in but:
                    size, interval = word & _BYTES_MASK, self._interval << (word >> 48 & 0xFF)
                    found += size / -math.expm1(-size / interval) if size else 0.0
        return found
