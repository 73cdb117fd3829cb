"""L19: state on a class, or in a default argument, that all calls share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import ELEMENT, find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence

_GROWS = rf"{ELEMENT}|(?:OrderedDict|defaultdict)(?:\[.*)?"


def _sign(evidence: Evidence) -> str:
    if found := find(evidence, r"(.+)", r"class (.+)", r"((?!_).+)", _GROWS):
        before, known, attribute, _ = (match[1] if match.re.groups else "" for match in found.matches)
        name = (before if known == "?" else known).rpartition(".")[2]
        return f"{name}.{attribute} belongs to the class: all instances share it, and it outlives them"
    if found := find(evidence, r"function (.+)", r"\.__(?:kw)?defaults__", r"tuple\[.*|\[.*", ELEMENT):
        return f"a default argument of {found.matches[0][1]} is made once, and every call adds to it"
    return ""


RULE = Rule(
    number="L19",
    title="State on a class or in a default argument",
    sign=_sign,
    told="A list, dict or set that is an attribute of a class, or a default argument of a function.",
    cure="make it in __init__: self.errors = []; a default of None, and a new list in the function",
    before="""\
class Validator:
    errors = []

    def check(self, number):
        self.errors.append(load(number))

def handle(number):
    Validator().check(number)
""",
    after="""\
class Validator:
    def __init__(self):
        self.errors = []

    def check(self, number):
        self.errors.append(load(number))

def handle(number):
    Validator().check(number)
""",
)
