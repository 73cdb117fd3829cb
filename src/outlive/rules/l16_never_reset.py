"""L16: a thread-local or context variable is set and never reset, or a context is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    if found := find(evidence, "_local", r"\.(.+)"):
        return f"the thread-local {found.matches[1][1]} outlives the run that set it, for its thread does"
    found = find(evidence, "Context", "context variable (.+)")
    if not found or found.holder.root.kind == "task":
        return ""
    variable = found.matches[1][1]
    if found.holder.root.kind == "thread" and found.holder.path[1] == "context":
        return f"the context variable {variable} is set and never reset"
    return f"a copy of the context is kept, and with it what {variable} was"


RULE = Rule(
    number="L16",
    title="Thread-locals and context variables never reset",
    sign=_sign,
    told="It is what a thread-local has, or a context variable: in a thread's own context, or in a copy of "
    "one.",
    cure="reset it: token = CURRENT.set(…), and CURRENT.reset(token) in a finally; del LOCAL.rows",
    before="""\
import threading

LOCAL = threading.local()

def handle(number):
    if not hasattr(LOCAL, "seen"):
        LOCAL.seen = []
    LOCAL.seen.append(load(number))
""",
    after="""\
import threading

LOCAL = threading.local()

def handle(number):
    LOCAL.seen = [load(number)]
    try:
        return len(LOCAL.seen)
    finally:
        del LOCAL.seen
""",
)
