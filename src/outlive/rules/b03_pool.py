"""B03: a pool of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import find, is_one_of_many

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence

# SQLAlchemy's, httpcore's (httpx), urllib3's (requests, boto3).
_POOLS = (
    (
        r"(?:AsyncAdapted)?QueuePool|StaticPool|SingletonThreadPool",
        r"\.(?:_pool|_conn|connection|_all_conns)",
    ),
    (r"(?:Async)?ConnectionPool", r"\._connections"),
    (r"HTTPS?ConnectionPool", r"\.pool"),
)


def _sign(evidence: Evidence) -> str:
    for pool, attribute in _POOLS:
        found = find(evidence, pool, attribute)
        if found and not is_one_of_many(found):
            return f"a {found.matches[0][0]} keeps connections for the next runs, up to its size"
    return ""


RULE = Rule(
    number="B03",
    title="A pool of connections",
    sign=_sign,
    told="One pool of SQLAlchemy, httpx or urllib3 holds it, among the connections that wait for the next "
    "use. Pools that are entries of what grows may be many, and are not meant.",
    cure="none needed; for less memory a smaller one: create_engine(…, pool_size=5)",
    before="""\
from sqlalchemy import create_engine

def connect(url):
    return create_engine(url, pool_size=100)
""",
    after="""\
from sqlalchemy import create_engine

def connect(url):
    return create_engine(url, pool_size=5)
""",
    bounded=True,
    verdict="bounded growth",
)
