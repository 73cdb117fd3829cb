"""What source code says a container was made with: whether it has a limit."""

from __future__ import annotations

import ast
import linecache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from outlive.model.heap import Holder
    from outlive.rules.rule import Evidence

_BYTES_MAX = 4 << 20


def has_limit(
    evidence: Evidence,
    holder: Holder,
    names: frozenset[str],
    name: str,
    limit: Callable[[ast.Call], bool | None],
) -> bool | None:
    """Return whether the calls of one of `names` that made a container give it a limit.

    Those assigned to `name` count, or all of them if there are none; None if there is no call, no source,
    calls of both kinds, or one whose limit is not known.
    """
    calls = [call for tree in trees(evidence, holder) for call in _calls(tree, names)]
    own = [call for target, call in calls if target == name]
    limits = {limit(call) for call in own or [call for _, call in calls]}
    return limits.pop() if len(limits) == 1 else None


def trees(evidence: Evidence, holder: Holder, file: str = "") -> Iterator[ast.Module]:
    """Yield the syntax of the source files that the evidence leads to, or of one of its stack.

    A file counts that is as it was when the program ran: its lines are among the sources. So does the root
    module's, if it is beside one of those.
    """
    known = {one.file for one, source in zip(evidence.frames, evidence.sources, strict=False) if source}
    places = dict.fromkeys(sorted(known & {file} if file else known))
    if holder.root.kind == "module" and not file:
        parts = holder.root.name.split(".")
        for folder in {parent for each in known for parent in Path(each).parents}:
            base = folder.joinpath(*parts)
            places |= dict.fromkeys([f"{base}.py", f"{base / '__init__.py'}"])
    for place in places:
        if (tree := _tree(place)) is not None:
            yield tree


def argument(call: ast.Call, place: int, *keywords: str) -> ast.expr | None:
    """Return an argument of a call, by its place or a keyword; None if it is not given."""
    for given in call.keywords:
        if given.arg in keywords:
            return given.value
    return call.args[place] if place < len(call.args) else None


def is_limit(value: ast.expr | None) -> bool | None:
    """Return whether a limit that is given so is one: a number above 0 is; None if its value is not known."""
    if value is None:
        return False
    try:
        known = ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return isinstance(known, (int, float)) and known > 0


def _tree(file: str) -> ast.Module | None:
    try:
        if not Path(file).is_file() or Path(file).stat().st_size > _BYTES_MAX:
            return None
        return ast.parse("".join(linecache.getlines(file)))
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _calls(tree: ast.Module, names: frozenset[str]) -> Iterator[tuple[str, ast.Call]]:
    """Yield calls of these names, each with the name that it is assigned to, "" for none."""
    targets: dict[int, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and isinstance(node.value, ast.Call):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Attribute):
                targets[id(node.value)] = target.attr
            elif isinstance(target, ast.Name):
                targets[id(node.value)] = target.id
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) in names:
            yield targets.get(id(node), ""), node


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):  # Queue[int]()
        node = node.value
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
