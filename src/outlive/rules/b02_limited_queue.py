"""B02: a deque or queue with a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.queues import find_queue
from outlive.rules.rule import Rule

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    queue = find_queue(evidence)
    return f"{queue.name} has a limit, and holds no more than that" if queue and queue.limited else ""


RULE = Rule(
    number="B02",
    title="A deque or queue with a limit",
    sign=_sign,
    told="A deque or a queue holds it, and source code shows that it was made with `maxlen` or `maxsize`.",
    cure="none needed; for less memory a smaller one: deque(maxlen=…), Queue(maxsize=…)",
    before="""\
from collections import deque

RECENT = deque(maxlen=100_000)

def handle(number):
    RECENT.append(load(number))
""",
    after="""\
from collections import deque

RECENT = deque(maxlen=10)

def handle(number):
    RECENT.append(load(number))
""",
    bounded=True,
    verdict="bounded growth",
)
