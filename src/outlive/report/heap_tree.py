"""The dominator tree of a heap snapshot, as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from outlive.model.printable import printable
from outlive.model.size import readable
from outlive.report.heap_holders import last_step, path_lines
from outlive.report.heap_table import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from outlive.heap.dominators import Branch
    from outlive.report.style import Style

_ROW = "{:>11}  {:>11}  {:>5}  {}"
_INDENT = _ROW.format("", "", "", "  ")
_LEGEND = "Retained: what would be freed without the object; what stands below it is a part of that."


def dominators_tree(branches: Sequence[Branch], whole_bytes: int, limit: int, style: Style = PLAIN) -> str:
    """Return the objects that alone keep most alive, and below each what of that hangs on others again.

    Args:
        branches: the tree, largest first.
        whole_bytes: all of the snapshot, for the shares.
        limit: how many branches of an object at most.
        style: how it looks.

    """
    if not branches:
        return "No object keeps a notable share alive.\n"
    lines = [style.strong(_ROW.format("Retained", "Shallow", "Share", "Object, and how it is held"))]
    for branch in branches[:limit]:
        lines.append(style.fit(_row(branch, whole_bytes, "")))
        lines += map(style.faint, path_lines(branch.dominator.held, style, _INDENT))
        lines += map(style.fit, _below(branch, whole_bytes, limit, "  "))
    return "\n".join((*lines, "", style.faint(_LEGEND), ""))


def branches_json(branches: Sequence[Branch], limit: int) -> list[dict[str, object]]:
    """Return the tree as a list of documents, each with what is below it as "dominates"."""
    return [
        {
            **asdict(branch.dominator),
            "dominates": branches_json(branch.branches, limit),
            "left_out": branch.left_out + len(branch.branches[limit:]),
        }
        for branch in branches[:limit]
    ]


def _below(branch: Branch, whole_bytes: int, limit: int, before: str) -> Iterator[str]:
    shown, folded = branch.branches[:limit], branch.branches[limit:]
    count = branch.left_out + len(folded)
    size = branch.left_out_bytes + sum(each.dominator.retained_bytes for each in folded)
    for number, each in enumerate(shown, start=1):
        is_last = number == len(shown) and not count
        dominator = each.dominator
        step = _below_holder(last_step(dominator.held, dominator.type), branch.dominator.type)
        yield _row(each, whole_bytes, before + ("└ " if is_last else "├ "), step)
        yield from _below(each, whole_bytes, limit, before + ("  " if is_last else "│ "))
    if count and shown:
        yield _ROW.format(readable(size), "", _share(size, whole_bytes), f"{before}└ ({count:,} smaller)")


def _below_holder(step: str, type_name: str) -> str:
    """Return an attribute's name alone where it stands below its object: ".rows" for "Export.rows"."""
    attribute = step.removeprefix(type_name.rpartition(".")[2])
    return attribute if attribute[:1] in (".", "[") else step


def _row(branch: Branch, whole_bytes: int, before: str, step: str = "") -> str:
    each = branch.dominator
    sizes = readable(each.retained_bytes), readable(each.shallow_bytes)
    name = f"{before}{printable(each.type)} #{each.object}{f' · {printable(step)}' if step else ''}"
    return _ROW.format(*sizes, _share(each.retained_bytes, whole_bytes), name)


def _share(size_bytes: int, whole_bytes: int) -> str:
    return f"{size_bytes / whole_bytes:.0%}" if whole_bytes else ""
