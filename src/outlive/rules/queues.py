"""Queues and deques on a holder path, and whether they have a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from outlive.rules.assigned import argument, has_limit, is_limit
from outlive.rules.steps import called, find, is_one_of_many

if TYPE_CHECKING:
    import ast

    from outlive.rules.rule import Evidence

_QUEUES = frozenset({"Queue", "LifoQueue", "PriorityQueue", "JoinableQueue"})


class Queue(NamedTuple):
    """What a program calls it, and whether it has a limit; None: that is not known."""

    name: str
    limited: bool | None


def find_queue(evidence: Evidence) -> Queue | None:
    """Return the queue or deque that holds it."""
    if found := find(evidence, "SimpleQueue", ".+"):
        return Queue(called(found.holder.path[: found.at]) or "a SimpleQueue", limited=False)
    for names, limit, steps in (
        (_QUEUES, _queue_limit, (r"\w*Queue", r"\._?(?:queue|buffer)", r"(?:deque|list)\[.*")),
        (frozenset({"deque"}), _deque_limit, (r"deque\[.*",)),
    ):
        if found := find(evidence, *steps):
            holder = found.holder
            before = holder.path[: found.at]
            name = before[-1].lstrip(".") if before else ""
            limited = has_limit(evidence, holder, names, name, limit)
            if limited and is_one_of_many(found):
                limited = None  # what each has is none of all of them
            return Queue(called(before) or f"a {found.matches[0][0].partition('[')[0]}", limited)
    return None


def _queue_limit(call: ast.Call) -> bool | None:
    return is_limit(argument(call, 0, "maxsize"))


def _deque_limit(call: ast.Call) -> bool | None:
    return is_limit(argument(call, 1, "maxlen"))
