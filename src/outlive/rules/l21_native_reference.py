"""L21: C code keeps a reference that it should give back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    if evidence.ways and evidence.ways[0].root.kind == "native reference":
        return (
            "C code has a reference to each, and no object has it: one more is counted than there are holders"
        )
    return ""


RULE = Rule(
    number="L21",
    title="A reference that C code does not give back",
    sign=_sign,
    told="More references are counted than objects have, and no way from a module, thread or task leads to "
    "it.",
    cure="report it to the extension's authors with the line that made it; until then, work in a process "
    "that ends",
    before="""\
import ctypes

def handle(number):
    rows = load(number)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(rows))
""",
    after="""\
import ctypes

def handle(number):
    rows = load(number)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(rows))
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(rows))
""",
)
