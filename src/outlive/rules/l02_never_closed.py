"""L02: a session, connection, cursor or file is never closed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import ELEMENT, find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence

# SQLAlchemy's: by an attribute that no other class of the name has.
_IN_SESSION = r"\.(?:identity_map|_new|_deleted|_transaction|_nested_transaction|sync_session)"
_IN_CONNECTION = (
    r"\.(?:_dbapi_connection|_transaction|_nested_transaction|sync_connection|row_factory|text_factory)"
)
_FILES = "TextIOWrapper|BufferedReader|BufferedWriter|BufferedRandom|FileIO"
# What is one of these, however it is held.
_TYPES = {
    "sqlalchemy.orm.session.Session": "session",
    "sqlalchemy.ext.asyncio.session.AsyncSession": "session",
    "sqlalchemy.engine.base.Connection": "connection",
    "sqlalchemy.ext.asyncio.engine.AsyncConnection": "connection",
    "sqlite3.Connection": "connection",
    "sqlite3.Cursor": "cursor",
    "socket.socket": "socket",
    "ssl.SSLSocket": "socket",
    "_io.TextIOWrapper": "file",
    "_io.BufferedReader": "file",
    "_io.BufferedWriter": "file",
    "_io.BufferedRandom": "file",
    "_io.FileIO": "file",
}


def _sign(evidence: Evidence) -> str:
    for what, steps in (
        ("session", ("(?:Async)?Session", _IN_SESSION)),
        ("connection", ("(?:Async)?Connection", _IN_CONNECTION)),
        ("file", (_FILES,)),
    ):
        if found := find(evidence, *steps):
            many = any(re.fullmatch(ELEMENT, step) for step in found.holder.path[: found.at])
            return _reason(what) if many else f"one {what} lives on, and each run leaves more in it"
    if found := find(evidence, ELEMENT, "(?:Async)?(Connection|Cursor)"):
        return _reason(found.matches[1][1].lower())
    what = _TYPES.get(evidence.types[0], "") if evidence.types else ""
    return _reason(what) if what else ""


def _reason(what: str) -> str:
    return f"a {what} is opened per run and never closed"


RULE = Rule(
    number="L02",
    title="Session, connection, cursor or file never closed",
    sign=_sign,
    told="A SQLAlchemy session or connection, a connection or cursor of a database, a socket or a file is "
    "what survives, or is on the way to it. SQLAlchemy's are told by attributes that only they have.",
    cure="async with AsyncSession(engine) as session: …, and so with all sessions, connections and files",
    before="""\
from sqlalchemy.orm import Session

OPEN = {}

def export(engine, number):
    session = OPEN[number] = Session(engine)
    session.add(load(number))
    return len(session.new)
""",
    after="""\
from sqlalchemy.orm import Session

def export(engine, number):
    with Session(engine) as session:
        session.add(load(number))
        return len(session.new)
""",
)
