"""A session with objects that were never written.

Needs sqlalchemy
3 held by module: __main__ → SESSIONS → Session → ._new
"""

import sys

from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

import outlive


class Base(DeclarativeBase):
    pass


class Leaked(Base):
    __tablename__ = "leaked"
    number: Mapped[int] = mapped_column(primary_key=True)


SESSIONS = [Session()]
SESSIONS[0].add_all([Leaked(number=number) for number in range(3)])

outlive.snapshot(sys.argv[1])
