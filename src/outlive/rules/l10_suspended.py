"""L10: a generator or coroutine is left where it waits, with its locals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import SUSPENDED, find, is_one_for_all

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    found = find(evidence, SUSPENDED, "local (.+)")
    if not found or found.holder.root.kind == "task" or "._coro" in found.holder.path:
        return ""
    if is_one_for_all(found.holder, evidence.runs, found.at + 2):
        return ""
    what, name, place = found.matches[0].groups()
    return f"{name}() is never finished: the {what} waits at {place}, and keeps {found.matches[1][1]}"


RULE = Rule(
    number="L10",
    title="A generator or coroutine left where it waits",
    sign=_sign,
    told="It is a local variable of a generator, an async generator or a coroutine that is suspended, and "
    "that no task runs.",
    cure="finish or close it: with contextlib.closing(rows): …, async with contextlib.aclosing(stream): …",
    before="""\
READERS = []

def records(number):
    page = load(number)
    yield "header"
    yield page

def handle(number):
    reader = records(number)
    READERS.append(reader)
    return next(reader)
""",
    after="""\
from contextlib import closing

def records(number):
    page = load(number)
    yield "header"
    yield page

def handle(number):
    with closing(records(number)) as reader:
        return next(reader)
""",
)
