"""L07: an exception or a traceback is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    found = find(
        evidence,
        r"\.__traceback__|traceback|\.exception\.__traceback__",
        r"frame (.+)\(\) at (.+)",
        "local (.+)",
    )
    if not found or found.holder.root.kind == "garbage":
        return ""
    _, frame, local = found.matches
    has = f"has the frame of {frame[1]}(), and that {local[1]}"
    if found.matches[0][0] == "traceback":
        return f"a traceback was kept: it {has}"
    return f"{found.holder.path[found.at - 1]} was kept: its traceback {has}"


RULE = Rule(
    number="L07",
    title="An exception or traceback kept",
    sign=_sign,
    told="The way leads over an exception's traceback to the frame of a function, and to a local variable "
    "there.",
    cure="keep what you need of it, str(error); or error.with_traceback(None)",
    before="""\
ERRORS = []

def parse(rows):
    raise ValueError("line 7 is cut short")

def handle(number):
    rows = load(number)
    try:
        parse(rows)
    except ValueError as error:
        ERRORS.append(error)
""",
    after="""\
ERRORS = []

def parse(rows):
    raise ValueError("line 7 is cut short")

def handle(number):
    rows = load(number)
    try:
        parse(rows)
    except ValueError as error:
        ERRORS.append(str(error))
""",
)
