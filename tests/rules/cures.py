"""The code of each rule, made into programs: what they need around them, and what is counted."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

_PRELUDE = """
import asyncio, gc, json, os, weakref
import outlive
RUNS = 40
ALIVE = weakref.WeakSet()

class Payload:
    def __init__(self, number):
        self.rows = bytearray(20_000)

def load(number):
    payload = Payload(number)  # made
    ALIVE.add(payload)
    return payload

def alive():
    gc.collect()
    return len(ALIVE)
"""
_ORM = """
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    pass

class Order(Base):
    __tablename__ = "orders"
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]

engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
def load(number):
    order = Order(number=number, text="x" * 20_000 + str(number))  # made
    ALIVE.add(order)
    return order
"""
_DRIVER = """
COUNTS = []
for number in range(RUNS):
    with outlive.scope("planted"):
        run(number)
    if number in (RUNS // 2 - 1, RUNS - 1):
        COUNTS.append(alive())
with open(os.environ.get("CURES_COUNTS", os.devnull), "w") as opened:
    json.dump(COUNTS, opened)
"""
_ASYNC = """
LOOP = asyncio.new_event_loop()

def run(number):
    LOOP.run_until_complete({call})
"""


@dataclass(frozen=True)
class Around:
    """What a rule's code needs: lines before it, the call that is one run, and what counts as alive."""

    call: str = "handle(number)"
    before: str = ""
    after: str = ""
    needs: tuple[str, ...] = ()
    is_async: bool = False
    made: str = "# made"

    def program(self, code: str) -> str:
        """The program that runs the code again and again."""
        run = _ASYNC.format(call=self.call) if self.is_async else f"\ndef run(number):\n    {self.call}\n"
        parts = (_PRELUDE, textwrap.dedent(self.before), code, textwrap.dedent(self.after), run, _DRIVER)
        return "\n".join(parts)


_COUNT_LABELS = "def alive():\n    return len(REQUESTS._metrics)\n"
_MALLOC = """
import ctypes as c

class Info(c.Structure):
    _fields_ = [(name, c.c_size_t) for name in "a b c d e f g in_use i j".split()]

LIBC = c.CDLL(None)
LIBC.mallinfo2.restype = Info

def alive():
    return LIBC.mallinfo2().in_use // 100_000
"""
_TRANSPORT = """
import httpx

transport = httpx.MockTransport(lambda request: httpx.Response(200))

def alive():
    return len(CLIENTS)
"""

AROUND = {
    "L02": Around("export(engine, number)", _ORM, needs=("sqlalchemy",)),
    "L03": Around(
        "order(engine, number, ANSWER)",
        _ORM + "ANSWER = asyncio.Event()\n",
        needs=("sqlalchemy",),
        is_async=True,
    ),
    "L04": Around(needs=("cachetools",)),
    "L05": Around(),
    "L06": Around("parse(number)", "gc.disable()\ndef alive():\n    return len(ALIVE)\n"),
    "L07": Around(),
    "L08": Around(is_async=True),
    "L09": Around(is_async=True),
    "L10": Around(),
    "L11": Around(),
    "L12": Around("handle(number, transport)", _TRANSPORT, needs=("httpx",), made="httpx.Client("),
    "L13": Around(),
    "L14": Around(before=_COUNT_LABELS, made="REQUESTS.labels(", needs=("prometheus_client",)),
    "L15": Around(),
    "L16": Around(),
    "L17": Around(),
    "L18": Around(),
    "L19": Around(),
    "L20": Around(before="import matplotlib\nmatplotlib.use('agg')\n", needs=("matplotlib",)),
    "L21": Around(),
    "L22": Around(),
    "L23": Around(
        before="""
        class Payload(bytearray):
            pass

        def load(number):
            payload = Payload(20_000)  # made
            KEPT.append(weakref.ref(payload))
            return payload

        KEPT = []

        def alive():
            return sum(ref() is not None for ref in KEPT)
        """
    ),
    "L25": Around("transcode()", _MALLOC),
    "B01": Around("rows(number)"),
    "B02": Around(),
    "B04": Around(needs=("cachetools",)),
}
