"""B01: lru_cache with a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import find, is_one_of_many

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    found = find(evidence, "limited lru_cache of (.+)", "cached (?:key|value)")
    if (
        found and not is_one_of_many(found) and found.holder.root.name != "typing"
    ):  # whose caches lead to every class there is
        return f"the cache of {found.matches[0][1]} has a limit, and drops the oldest entry when it is full"
    return ""


RULE = Rule(
    number="B01",
    title="lru_cache with a limit",
    sign=_sign,
    told="`lru_cache` with a `maxsize` holds it. On a method it holds instances too, up to its limit.",
    cure="none needed; for less memory a smaller one: @lru_cache(maxsize=…)",
    before="""\
from functools import lru_cache

@lru_cache(maxsize=100_000)
def rows(number):
    return load(number)
""",
    after="""\
from functools import lru_cache

@lru_cache(maxsize=10)
def rows(number):
    return load(number)
""",
    bounded=True,
    verdict="bounded growth",
)
