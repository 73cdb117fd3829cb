"""L15: listeners are registered and never removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import ELEMENT, called, find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence

_KEPT = rf"{ELEMENT}|(?:deque|tuple)\[.*"
_CALLBACK = r"(bound method .+) of|(function .+)|(partial of .+)"
_WITH = r"\w.*|closure .+|func|args|keywords"


def _sign(evidence: Evidence) -> str:
    for steps in (
        (_KEPT, _CALLBACK, _WITH),
        (_KEPT, "weak reference", "callback", _CALLBACK, _WITH),
        ("Future", r"\.callbacks?", _CALLBACK, _WITH),
    ):
        found = find(evidence, *steps)
        if found and found.holder.root.kind in {"module", "thread"} and "._coro" not in found.holder.path:
            callback = next(
                part for match in found.matches if match.re.groups for part in match.groups() if part
            )
            where = called(found.holder.path[: found.at])
            return (
                f"{callback} is registered by every run{f' with {where}' if where else ''}, and never removed"
            )
    return ""


RULE = Rule(
    number="L15",
    title="Listeners registered and never removed",
    sign=_sign,
    told="A list, set or dict that lives on has a bound method, a closure or a `partial`, and that has it: "
    "listeners, signal receivers, hooks, event processors.",
    cure="unregister in a finally, or register once; receivers that may die: weakref.WeakMethod",
    before="""\
LISTENERS = []

class View:
    def __init__(self, number):
        self.rows = load(number)
        LISTENERS.append(self.on_change)

    def on_change(self):
        return self.rows

def handle(number):
    View(number)
""",
    after="""\
from weakref import WeakMethod

LISTENERS = []

class View:
    def __init__(self, number):
        self.rows = load(number)
        LISTENERS.append(WeakMethod(self.on_change, LISTENERS.remove))

    def on_change(self):
        return self.rows

def handle(number):
    View(number)
""",
)
