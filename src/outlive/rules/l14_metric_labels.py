"""L14: a metric has a label whose values never end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    found = find(
        evidence, "(Counter|Gauge|Histogram|Summary|Info|Enum)", r"\._metrics", r"\[.*|key of .*|dict\[.*"
    )
    return (
        f"the labels of a {found.matches[0][1]} have ever new values, and it keeps a series for each"
        if found
        else ""
    )


RULE = Rule(
    number="L14",
    title="Metric labels with ever new values",
    sign=_sign,
    told="The way leads over the `_metrics` of a metric of prometheus-client, where it has a series for each "
    "combination of label values.",
    cure="labels of few values only: the route, not the path; no ids of users or requests",
    before="""\
from prometheus_client import Counter

REQUESTS = Counter("requests", "How many.", ["path"])

def handle(number):
    REQUESTS.labels(path=f"/orders/{number}").inc()
""",
    after="""\
from prometheus_client import Counter

REQUESTS = Counter("requests", "How many.", ["route"])

def handle(number):
    REQUESTS.labels(route="/orders/{number}").inc()
""",
)
