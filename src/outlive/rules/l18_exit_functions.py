"""L18: callbacks that the interpreter or C code keeps: atexit, finalizers, handlers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence

_KEEPERS = {"atexit", "os.register_at_fork", "codecs"}
_CALLBACK = r"(?:bound method .+ of|function .+|partial of .+)"


def _sign(evidence: Evidence) -> str:
    if find(evidence, r"class weakref\.finalize", "_registry", r"\[.*"):
        return "a finalizer keeps what it is to be called with until its object dies, and that does not"
    for holder in evidence.ways:
        if holder.root.kind == "interpreter" and holder.root.name in _KEEPERS:
            return f"every run registers a function with {holder.root.name}, which keeps it to the end"
    found = find(evidence, "native reference.*", _CALLBACK)
    if found and found.at == 0:
        return "every run hands a callback to C code, which keeps it"
    return ""


RULE = Rule(
    number="L18",
    title="Exit functions, finalizers and callbacks kept by C code",
    sign=_sign,
    told="The way begins at `atexit`, `os.register_at_fork` or `codecs`, at the register of "
    "`weakref.finalize`, or at a function that C code has a reference to.",
    cure="register once, at start-up; in a run use try/finally, or take it back: atexit.unregister(function)",
    before="""\
import atexit

def handle(number):
    rows = load(number)
    atexit.register(lambda: rows)
""",
    after="""\
def handle(number):
    rows = load(number)
    try:
        return len(str(rows))
    finally:
        del rows
""",
)
