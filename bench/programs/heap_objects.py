"""A heap as services have it: orders with lines, customers and details, of any number of objects."""

import gc
from typing import Any

ORDERS_OF_EACH = 10  # of a customer
OBJECTS_EACH = 16.3  # of an order, its part of the customer included

ORDERS: list["Order"] = []


class Line:
    """What is ordered: an instance with slots."""

    __slots__ = ("amount", "article")

    def __init__(self, article: str, amount: int) -> None:
        self.article, self.amount = article, amount


class Customer:
    """Who orders, and all that was ordered: a cycle with each of them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.orders: list[Order] = []


class Order:
    """An instance without slots. Nobody asked for its `__dict__` yet, so there is none."""

    def __init__(self, number: int, customer: Customer) -> None:
        self.number, self.customer = number, customer
        self.lines = [Line(f"article {number + at}", number + at) for at in range(2)]
        self.labels = (f"label {number}", f"channel {number}")
        self.details: dict[str, Any] = {"note": f"left at door {number}", "weight": number + 2, "paid": True}
        self.reference = f"A-{number:09}"


def order(number: int, customer: Customer) -> None:
    """Take one order."""
    one = Order(number + 1_000, customer)
    customer.orders.append(one)
    ORDERS.append(one)


def fill(objects: int) -> None:
    """Take orders until there are about so many objects more, and collect garbage once, as services do."""
    collects = gc.isenabled()
    gc.disable()  # or it goes through all of them again and again
    customer = Customer("")
    for number in range(round(objects / OBJECTS_EACH)):
        if number % ORDERS_OF_EACH == 0:
            customer = Customer(f"customer {len(ORDERS)}")
        order(len(ORDERS), customer)
    if collects:
        gc.enable()
    gc.collect()


def one() -> object:
    """Return an object to ask about, which nothing but its order holds; whoever keeps it adds a holder."""
    return ORDERS[len(ORDERS) // 2].lines[1]


def materialised() -> int:
    """Return how many orders have a `__dict__` of their own, which asking for it would give them."""
    return sum(
        any(type(held) is dict and "customer" in held for held in gc.get_referents(one)) for one in ORDERS
    )
