"""A recording's call tree as text: small branches folded, a chain of single calls not indented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.model.size import mib
from outlive.report.call_tree import call_tree, merged
from outlive.report.recording_table import NOTHING, header, spread
from outlive.report.stack_text import SourceLines, named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from outlive.model.recording import Recording
    from outlive.recording.totals import Sum
    from outlive.report.call_tree import Node
    from outlive.report.style import Style

_ROW = "{:>11}  {:<24}  {:>5}  {}"
_LEAST_SHARE = 0.01


def recording_tree(recording: Recording, limit: int, style: Style, file: Path | None = None) -> str:
    """Return the report, with at most `limit` branches of a frame; `file` is named if given."""
    root = call_tree(recording)
    lines = [*header(recording, style, file), ""]
    if not root.held.samples:
        return "\n".join((*lines, NOTHING, ""))
    lines.append(style.strong(_ROW.format("In use", "95 % interval", "Share", "Calls, outermost first")))
    lines += _rows(root, limit, SourceLines(recording), style)
    legend = f"Branches under {_LEAST_SHARE:.0%} of all that is in use are folded."
    return "\n".join((*lines, "", style.faint(legend), ""))


def _rows(root: Node, limit: int, source: SourceLines, style: Style) -> Iterator[str]:
    whole = root.held.total
    # What is still to be written, the next one last: a node, or words and a sum for folded ones; what stands
    # before it, and before what is below it.
    left: list[tuple[Node | tuple[str, Sum], str, str]] = [(root, "", "")]
    while left:
        item, own, below = left.pop()
        if isinstance(item, tuple):
            words, held = item
            yield style.fit(_row(held, whole, own + words))
            continue
        yield style.fit(_row(item.held, whole, own + named(item.frame)))
        shown, folded = item.parted(whole * _LEAST_SHARE, limit)
        if not item.children and (text := source.line(item.frame)):
            yield style.faint(style.fit(f"{_ROW.format('', '', '', below)}  {text}"))
        branches: list[Node | tuple[str, Sum]] = [*shown]
        if folded:
            branches.append((f"({len(folded):,} smaller)", merged(folded)))
        for number in range(len(branches) - 1, -1, -1):
            stem, space = ("", "") if len(branches) == 1 else ("├ ", "│ ")
            if len(branches) > 1 and number == len(branches) - 1:
                stem, space = "└ ", "  "
            left.append((branches[number], below + stem, below + space))


def _row(held: Sum, whole: float, words: str) -> str:
    return _ROW.format(mib(held.total), spread(held.estimate), f"{held.total / whole:.0%}", words)
