"""SQLAlchemy sessions as they are meant to be: opened, used, committed, closed.

expect: no leak
"""

import os

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
ENGINE = create_engine("sqlite://", poolclass=StaticPool)


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "order"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


Base.metadata.create_all(ENGINE)

for _ in range(RUNS):
    with outlive.scope("order"), Session(ENGINE) as session:
        session.add(Order(text="socks " * 200))
        session.commit()
        session.scalars(select(Order).order_by(Order.id.desc()).limit(5)).all()
