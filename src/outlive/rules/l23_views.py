"""L23: a small view keeps a huge buffer."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from outlive.rules.assigned import trees
from outlive.rules.rule import Rule
from outlive.rules.steps import find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    if find(evidence, "memoryview", "managedbuffer"):
        return "a view is kept, and a view keeps the whole buffer"
    if found := find(evidence, "ndarray"):
        for frame in evidence.frames:
            if any(_keeps_slice(tree, frame.line) for tree in trees(evidence, found.holder, frame.file)):
                return "a slice of an array is kept, and a slice keeps the whole array"
    return ""


def _keeps_slice(tree: ast.Module, line: int) -> bool:
    """Whether of what a line assigns a slice is put somewhere to stay."""
    made = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and node.lineno <= line <= (node.end_lineno or line)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="append" | "add" | "put" | "setdefault"), args=[*_, kept]):
                pass
            case ast.Assign(targets=[ast.Subscript() | ast.Attribute()], value=kept):
                pass
            case _:
                continue
        match kept:
            case ast.Subscript(
                value=ast.Name(id=name), slice=ast.Slice() | ast.Tuple(elts=[ast.Slice(), *_])
            ):
                if name in made:
                    return True
    return False


RULE = Rule(
    number="L23",
    title="A small view keeps a huge buffer",
    sign=_sign,
    told="The way leads over a `memoryview` to the buffer; or it leads to a numpy array, and source code "
    "shows that a slice is kept of what was made there.",
    cure="copy the part that is kept: bytes(view), array[:5].copy()",
    before="""\
HEADERS = []

def handle(number):
    packet = load(number)
    HEADERS.append(memoryview(packet)[:16])
""",
    after="""\
HEADERS = []

def handle(number):
    packet = load(number)
    HEADERS.append(bytes(memoryview(packet)[:16]))
""",
)
