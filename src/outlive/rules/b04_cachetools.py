"""B04: a cache of cachetools, or SQLAlchemy's of compiled statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.assigned import argument, has_limit
from outlive.rules.rule import Rule
from outlive.rules.steps import find, is_one_of_many

if TYPE_CHECKING:
    import ast

    from outlive.rules.rule import Evidence

_CACHES = frozenset({"Cache", "FIFOCache", "LFUCache", "LRUCache", "RRCache", "TTLCache", "TLRUCache"})


def _sign(evidence: Evidence) -> str:
    found = find(evidence, f"({'|'.join(sorted(_CACHES))})", r"\._Cache__(?:data|currsize|size)")
    if found and not is_one_of_many(found):
        before = found.holder.path[found.at - 1].lstrip(".") if found.at else ""
        if has_limit(evidence, found.holder, _CACHES, before, _is_finite) is not False:
            return f"a {found.matches[0][1]} of cachetools evicts what is over its maxsize"
    found = find(evidence, r"\._compiled_cache", "LRUCache", r"\._data")
    if found and not is_one_of_many(found):
        return "SQLAlchemy keeps compiled statements, up to query_cache_size"
    return ""


def _is_finite(call: ast.Call) -> bool:
    import ast

    limit = argument(call, 0, "maxsize")
    return limit is None or "inf" not in ast.unparse(limit)


RULE = Rule(
    number="B04",
    title="A cache that evicts",
    sign=_sign,
    told="A cache of cachetools holds it: each has a `maxsize`. Or SQLAlchemy's cache of compiled "
    "statements does.",
    cure="none needed; for less memory a smaller one: TTLCache(maxsize=…, ttl=…)",
    before="""\
from cachetools import LRUCache

CACHE = LRUCache(maxsize=100_000)

def handle(number):
    CACHE[number] = load(number)
""",
    after="""\
from cachetools import LRUCache

CACHE = LRUCache(maxsize=10)

def handle(number):
    CACHE[number] = load(number)
""",
    bounded=True,
    verdict="bounded growth",
)
