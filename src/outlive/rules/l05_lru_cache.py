"""L05: lru_cache without a limit, on a method, on many arguments or on `async def`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    if found := find(evidence, "lru_cache of (.+)", "cached (key|value)"):
        function, part = found.matches[0][1], found.matches[1][1]
        after = found.holder.path[found.at + 2 :]
        if part == "key" and _is_of(function, after[1:2], evidence.types):
            return f"the cache of the method {function} has no limit, and self is part of each key"
        if any(step.startswith("coroutine ") for step in after[:2]):
            return f"the cache of async {function} has no limit, and keeps coroutines, not results"
        kept = "keeps it" if part == "key" else "keeps a result"
        return f"the cache of {function} has no limit: for each new argument it {kept}"
    return ""


def _is_of(function: str, step: tuple[str, ...], types: tuple[str, ...]) -> bool:
    """Whether a step, or what is held, is an object of the class that a method belongs to."""
    owner = function.rpartition(".")[0]
    return owner in types or step == (owner.rpartition(".")[2],)


RULE = Rule(
    number="L05",
    title="lru_cache without a limit",
    sign=_sign,
    told="`functools.cache` or `lru_cache(maxsize=None)` holds it, as an argument, as `self`, or as a "
    "result.",
    cure="a limit, @lru_cache(maxsize=1024); on a method functools.cached_property, or a cache on the "
    "instance",
    before="""\
from functools import cache

class Report:
    def __init__(self, number):
        self.rows = load(number)

    @cache
    def total(self):
        return len(str(self.rows))

def handle(number):
    return Report(number).total()
""",
    after="""\
from functools import cached_property

class Report:
    def __init__(self, number):
        self.rows = load(number)

    @cached_property
    def total(self):
        return len(str(self.rows))

def handle(number):
    return Report(number).total
""",
)
