"""L06: cycles that wait for the collector."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    for holder in evidence.ways:
        if holder.root.kind == "garbage":
            return f"nothing but a cycle of references holds it: {holder.text.partition(': ')[2]}"
    return "nothing but cycles of references holds it, until the collector runs"


RULE = Rule(
    number="L06",
    title="Cycles that wait for the collector",
    sign=_sign,
    told="Nothing reaches it but a cycle it is part of: a parent and its children, an exception and the "
    "frame that keeps it. It grows while the collector is off, or is late.",
    cure="make the reference back a weak one: self.parent = weakref.ref(parent); leave gc on",
    before="""\
class Node:
    def __init__(self, parent):
        self.parent = parent
        self.children = []

def parse(number):
    root = Node(None)
    root.rows = load(number)
    root.children.append(Node(root))
    return len(root.children)
""",
    after="""\
import weakref

class Node:
    def __init__(self, parent):
        self.parent = weakref.ref(parent) if parent else None
        self.children = []

def parse(number):
    root = Node(None)
    root.rows = load(number)
    root.children.append(Node(root))
    return len(root.children)
""",
    verdict="cycle garbage",
)
