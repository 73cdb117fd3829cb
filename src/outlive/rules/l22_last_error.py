"""L22: the interpreter, a prompt or a debugger keeps the last error or result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    if found := find(evidence, "module sys", "(last_(?:exc|value|traceback|type))"):
        return f"sys.{found.matches[1][1]} keeps the last uncaught error, its frames and what led to it"
    if find(evidence, "module builtins", "_"):
        return "_ keeps the last result of the prompt"
    if found := find(evidence, "module __main__", "(_|__|___|_oh|Out)", r"\[.*|dict.*"):
        return f"{found.matches[1][1]} keeps the results of the prompt"
    if find(evidence, r"Pdb|Bdb", r"\.(?:curframe|botframe|stack|curframe_locals)"):
        return "the debugger keeps the frame it stopped in"
    return ""


RULE = Rule(
    number="L22",
    title="Kept by a prompt, a debugger or sys.last_exc",
    sign=_sign,
    told="The way begins at `sys.last_exc` (`last_value`, `last_traceback`), at the prompt's `_` or `Out`, "
    "or at a debugger's frame.",
    cure="del sys.last_exc, sys.last_value, sys.last_traceback; in a service, don't set them",
    before="""\
import sys

def handle(number):
    rows = load(number)
    try:
        raise LookupError("no such command") from getattr(sys, "last_value", None)
    except LookupError as error:
        sys.last_value = error
""",
    after="""\
import sys

def handle(number):
    rows = load(number)
    try:
        raise LookupError("no such command")
    except LookupError as error:
        sys.stderr.write(f"{error}\\n")
""",
)
