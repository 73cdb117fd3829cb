"""L04: a container that lives on grows with every run."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import called, growing

if TYPE_CHECKING:
    from outlive.model.heap import Holder
    from outlive.rules.rule import Evidence

# What is held over one of these is another matter, even if it can't be told which. A deque may have a limit.
_OTHERWISE = re.compile(
    r"(?:limited )?lru_cache of .*|(?:coroutine|generator|async generator) .*|task \".*|Task|Future|.* × .*"
    r"|traceback|\.__traceback__|weak reference|Weak\w+|context variable .*|Context|_local|native reference.*"
    r"|memoryview|finalize|deque(?:\[.*)?|\w*Queue(?:\[.*)?|.*Handle"
)
_STANDARD = sys.stdlib_module_names - {"__main__"}


def _sign(evidence: Evidence) -> str:
    for holder in evidence.ways:
        if (name := _grows(holder)) and not any(_OTHERWISE.fullmatch(step) for step in holder.path):
            return f"{name} grows with every run: nothing takes out what a run put in"
    return ""


def _grows(holder: Holder) -> str:
    """Return what the container is called; "" if there is none, or it is not the program's."""
    path = holder.path
    match holder.root.kind:
        case "module" if holder.root.name.partition(".")[0] not in _STANDARD:
            first = 2
        case "thread" if [step.partition(" ")[0] for step in path[1:3]] == ["frame", "local"]:
            first = 3
        case _:
            return ""
    at = growing(holder, first)
    name = called(path[:at]) if at >= 0 else ""
    return "" if name.startswith("__") else name


RULE = Rule(
    number="L04",
    title="A cache or list that only grows",
    sign=_sign,
    told="A dict, list or set, reached from a global name of the program or from a local of a function that "
    "outlives the runs, over nothing but plain objects. It is what remains when no other pattern fits.",
    cure="give it a limit (cachetools.LRUCache(maxsize=…)), or take out what is done with: CACHE.pop(key)",
    before="""\
CACHE = {}

def handle(number):
    if number not in CACHE:
        CACHE[number] = load(number)
    return CACHE[number]
""",
    after="""\
from cachetools import LRUCache

CACHE = LRUCache(maxsize=10)

def handle(number):
    if number not in CACHE:
        CACHE[number] = load(number)
    return CACHE[number]
""",
)
