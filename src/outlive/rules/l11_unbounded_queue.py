"""L11: a queue or deque without a limit fills faster than it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.queues import find_queue
from outlive.rules.rule import Rule

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    queue = find_queue(evidence)
    if queue and queue.limited is False:
        return f"{queue.name} has no limit, and more is put in than taken out"
    return ""


RULE = Rule(
    number="L11",
    title="A queue or deque without a limit",
    sign=_sign,
    told="A queue or a deque holds it, and source code shows that it was made without `maxsize` or "
    "`maxlen`; a `SimpleQueue` never has one.",
    cure="a limit, so that whoever puts in waits or drops: Queue(maxsize=1000), deque(maxlen=1000)",
    before="""\
from collections import deque

RECENT = deque()

def handle(number):
    RECENT.append(load(number))
""",
    after="""\
from collections import deque

RECENT = deque(maxlen=10)

def handle(number):
    RECENT.append(load(number))
""",
)
