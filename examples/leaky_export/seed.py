"""Fill a SQLite file with activity rows: the same bytes for the same number of rows, on every machine."""

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from itertools import accumulate, islice
from pathlib import Path
from random import Random

from sqlalchemy import URL, create_engine

from examples.leaky_export.models import Base

USER_ID = "u42"
TENANT_ID = "acme"
OTHER_TENANT_ID = "umbrella"
"""Owns a few rows of a user with the same id, which no export of ``TENANT_ID`` may contain."""

ROWS = 100_000
SMALLEST_DETAILS, LARGEST_DETAILS = 1_024, 10_000
"""Bounds of the JSON text of one row, in bytes."""

_CHUNK = 1_000
_OTHERS_EVERY = 50
_FIRST_EVENT = datetime(2024, 1, 1, 8, 0)  # noqa: DTZ001 -- SQLite keeps no zone, and neither does the table

_ACTIONS = (
    "login",
    "document.opened",
    'renamed "Budget, draft" to "Budget, final"',
    "document.shared",
    "commented: looks good, thanks\nbut please check page 3",
    "exported 12,400 rows",
    '"Roadmap" moved to archive',
    "Größe geändert, von 12½ auf 14 Zoll",
    "permission.granted",
    "signature added:\r\n-- \r\nAnn O'Neil, CFO",
)
_FIELDS = ("title", "body", "owner", "labels", "due date", "price, net", 'size (")', "notes")
_TEXTS = (
    """Meeting moved to Thursday, 10:30, room "Ada"; please bring last quarter's figures, the signed contract
and the list of open questions, so that we can close the year with everybody in the room and nothing left.""",
    """Line one of a pasted mail
line two, with a comma
> and a "quoted" reply

The attachment was too large, so it lies in the shared folder; whoever can't open it may ask Ann or Bob.""",
    """The supplier confirmed 1,250 pieces at €3.40, delivery in week 12, invoice to follow. The remaining 250
pieces come from the second plant, packed in boxes of 25, which is why they carry another number.""",
    """=SUM(A1:A9) was replaced by the figure itself, because the sheet could not be opened offline. The
formula is kept in a comment beside the cell, for whoever wants to check it against the ledger.""",
    "C:\\Users\\ann\\Desktop\\Q3, final (2).xlsx",
    "Привет, 世界 — naïve café: text to see that encodings survive.",
)


def seed(database: Path, rows: int = ROWS, progress: Callable[[int], None] = lambda _done: None) -> None:
    """Create ``database`` with ``rows`` rows of one user, and a few of another tenant's.

    ``progress`` is called with the number of rows written so far. A file that exists is refused
    (``FileExistsError``), and a half-written one is removed.
    """
    if rows < 1:
        message = f"rows must be at least 1, not {rows}"
        raise ValueError(message)
    database.touch(exist_ok=False)
    try:
        _create_table(database)
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            _insert(connection, rows, progress)
    except BaseException:
        database.unlink(missing_ok=True)
        raise


def _create_table(database: Path) -> None:
    engine = create_engine(URL.create("sqlite", database=str(database)))
    Base.metadata.create_all(engine)
    engine.dispose()


def _insert(connection: sqlite3.Connection, rows: int, progress: Callable[[int], None]) -> None:
    # A file that is thrown away when anything goes wrong needs neither a journal nor a sync.
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    source = activity_rows(rows)
    done = 0
    connection.execute("BEGIN")
    while chunk := list(islice(source, _CHUNK)):
        connection.executemany(
            "INSERT INTO user_activity (tenant_id, user_id, timestamp, action, details)"
            " VALUES (?, ?, ?, ?, ?)",
            chunk,
        )
        done += sum(row[0] == TENANT_ID for row in chunk)
        progress(done)
    connection.execute("COMMIT")


def activity_rows(rows: int) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield ``(tenant_id, user_id, timestamp, action, details)`` as SQLite stores them."""
    # Only random() is promised to give the same numbers on every Python version.
    random = Random(42).random  # noqa: S311 -- sample data, not a secret
    changes = [_change(random, number) for number in range(400)]
    changes += changes[:40]  # so that a run of changes can begin anywhere and hold 10 KB
    ends = [0, *accumulate(len(change) + len(", ") for change in changes)]
    for number in range(rows):
        yield (TENANT_ID, *_event(random, number, changes, ends))
        if number % _OTHERS_EVERY == 0:
            yield (OTHER_TENANT_ID, *_event(random, number, changes, ends))


def _event(
    random: Callable[[], float], number: int, changes: list[str], ends: list[int]
) -> tuple[str, str, str, str]:
    head = (
        f'{{"request": {{"id": "{int(random() * 2**48):012x}", "number": {number}, '
        f'"client": {{"ip": "203.0.113.{number % 254 + 1}", '
        f'"agent": "Mozilla/5.0 (X11; Linux, like Gecko)"}}}}, "changes": ['
    )
    # Squared: most events are small, a few are large, as in a real log.
    size = 1_600 + (LARGEST_DETAILS - 1_600) * random() ** 2 - len(head)
    first = int(random() * 400)
    last = bisect_right(ends, ends[first] + size) - 1
    details = head + ", ".join(changes[first:last]) + "]}"
    moment = _FIRST_EVENT + timedelta(seconds=37 * number, microseconds=int(random() * 1_000_000))
    return (
        USER_ID,
        moment.isoformat(sep=" ", timespec="microseconds"),
        _ACTIONS[int(random() * len(_ACTIONS))],
        details,
    )


def _change(random: Callable[[], float], number: int) -> str:
    """One nested change as JSON text, exactly as ``json.dumps`` writes it."""
    before, after = (_TEXTS[int(random() * len(_TEXTS))] for _ in range(2))
    return json.dumps(
        {
            "field": _FIELDS[number % len(_FIELDS)],
            "before": before,
            "after": f"{after} ({number})",
            "at": {"page": number % 17, "offset": round(random() * 1000, 3), "reviewed": number % 3 == 0},
        }
    )
