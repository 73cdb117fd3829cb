"""L17: a value in a WeakKeyDictionary leads to its key."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from outlive.rules.assigned import trees
from outlive.rules.rule import Rule
from outlive.rules.steps import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    found = find(evidence, r"\.?(\w+)", "WeakKeyDictionary", r"\.data", r"\[.*")
    if not found:
        return ""
    name = found.matches[0][1]
    for tree in trees(evidence, found.holder):
        for target, value in _entries(tree):
            if _name(target.value) == name and _uses(value, target.slice):
                return f"in {name} the value refers to its key, so neither ever dies"
    return ""


def _entries(tree: ast.Module) -> Iterator[tuple[ast.Subscript, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((each, node.value) for each in node.targets if isinstance(each, ast.Subscript))


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _uses(value: ast.expr, key: ast.expr) -> bool:
    """Whether the object that is the key goes into the value itself, not what a call or attribute gives."""
    return isinstance(key, ast.Name) and any(
        isinstance(node, ast.Name) and node.id == key.id for node in _parts(value)
    )


def _parts(value: ast.expr) -> Iterator[ast.AST]:
    match value:
        case ast.Call():
            yield from value.args
            yield from (each.value for each in value.keywords)
        case ast.Tuple() | ast.List() | ast.Set():
            for element in value.elts:
                yield from _parts(element)
        case ast.Dict():
            for element in value.values:
                yield from _parts(element)
        case _:
            yield value


RULE = Rule(
    number="L17",
    title="A WeakKeyDictionary whose value leads to its key",
    sign=_sign,
    told="It is in a `WeakKeyDictionary`, and source code shows an entry whose value is made of its key: "
    "`NOTES[order] = Note(order)`.",
    cure="let the value refer weakly to its key, weakref.ref(key); or keep it on the key itself",
    before="""\
from weakref import WeakKeyDictionary

NOTES = WeakKeyDictionary()

class Note:
    def __init__(self, order):
        self.order = order

def handle(number):
    order = load(number)
    NOTES[order] = Note(order)
""",
    after="""\
from weakref import WeakKeyDictionary, ref

NOTES = WeakKeyDictionary()

class Note:
    def __init__(self, order):
        self.order = order

def handle(number):
    order = load(number)
    NOTES[order] = Note(ref(order))
""",
)
