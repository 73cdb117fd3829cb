"""A read-through cache of ORM objects over a session that is closed as it should be.

expect: leak
scope: GET /products/{id}
rule: L04
holder: module __main__ → CATALOGUE → Catalogue.products → Product
per run: 12200
"""

import os

from sqlalchemy import create_engine, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool

import outlive

RUNS = int(os.environ.get("PLANTED_RUNS", "300"))
ENGINE = create_engine("sqlite://", poolclass=StaticPool)


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class Catalogue:
    def __init__(self) -> None:
        self.products: dict[int, Product] = {}

    def get(self, number: int) -> Product:
        with Session(ENGINE, expire_on_commit=False) as session:
            product = session.scalars(select(Product).where(Product.id == number)).one()  # made
        self.products[number] = product
        return product


Base.metadata.create_all(ENGINE)
with ENGINE.begin() as connection:
    connection.execute(insert(Product), [{"text": "warm socks " * 1000} for _ in range(RUNS)])
CATALOGUE = Catalogue()

for number in range(1, RUNS + 1):
    with outlive.scope("GET /products/{id}"):
        CATALOGUE.get(number)
