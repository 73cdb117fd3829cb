"""A session for each batch, kept in a list; new rows wait in it for a commit that never comes.

expect: leak
scope: batch
rule: L02
holder: module __main__ → SESSIONS → Session → _new
per run: 39500
"""

import os

from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
SESSIONS: list[Session] = []


class Base(DeclarativeBase):
    pass


class Reading(Base):
    __tablename__ = "reading"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[float]


def batch(number: int) -> None:
    session = Session()
    readings = [Reading(id=number * 100 + place, value=place / 7) for place in range(30)]  # made
    session.add_all(readings)
    SESSIONS.append(session)


for number in range(RUNS):
    with outlive.scope("batch"):
        batch(number)
