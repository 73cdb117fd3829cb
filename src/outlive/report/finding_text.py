"""Findings for people at a terminal: what leaks, who made and who holds it, why, and what to do."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from outlive.model.printable import printable
from outlive.report import finding_words as words
from outlive.report.breakdown import breakdown_text
from outlive.report.heap_holders import path_lines
from outlive.report.heap_table import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from outlive.model.breakdown import Breakdown
    from outlive.model.finding import Finding
    from outlive.report.breakdown import Subject
    from outlive.report.style import Style

_INDENT = " " * len("  made    ")
_NARROWEST = 20


def finding_text(
    findings: Sequence[Finding],
    breakdown: Breakdown | None,
    subject: Subject,
    style: Style = PLAIN,
    looked_at: str = words.LOOKED_AT,
) -> str:
    """Return the page: findings as given, what is no leak, and where the memory goes.

    Args:
        findings: what was found, the most important first.
        breakdown: of the process, None if it is not known.
        subject: the process.
        style: of the terminal.
        looked_at: what it was that nothing was found in, if nothing was.

    """
    urgent, harmless, unknown = words.in_order(findings)
    blocks = ["\n".join(block(finding, style)) for finding in urgent]
    blocks += _listed("Not a leak", harmless, style)
    blocks += _listed("Not known yet", unknown, style)
    if not findings:
        blocks.append("\n".join(_wrapped(words.nothing(printable(looked_at)), style, "", "")))
    if breakdown is not None:
        blocks.append(breakdown_text(breakdown, subject).rstrip("\n"))
    return "\n\n".join(blocks) + "\n"


def block(finding: Finding, style: Style = PLAIN) -> Iterator[str]:
    """Give the lines of one finding."""
    head = f"{finding.verdict.upper()}   {words.subject(finding)}"
    first, *rest = _wrapped(f"{head}   {words.figures(finding)}".rstrip(), style, "", _INDENT)
    yield style.strong(head) + first[len(head) :] if first.startswith(head) else style.strong(first)
    yield from rest
    place, source, what = words.made(finding)
    if place or what:
        yield from _row(
            "made", "      ".join(filter(None, ["  ".join(filter(None, [place, source])), what])), style
        )
    if finding.holder:
        for number, line in enumerate(path_lines(finding.holder, style, _INDENT)):
            yield _labelled("held", line[len(_INDENT) :], style) if number == 0 else line
    if picture := words.by_run(finding):
        yield from _row("runs", picture, style)
    for number, reason in enumerate(words.reasons(finding)):
        yield from _row("why" if number == 0 else "", reason, style)
    if finding.cure:
        pointer = f"            outlive docs {printable(finding.rule)}" if finding.rule else ""
        yield from _row("cure", printable(finding.cure) + pointer, style)


def _listed(title: str, findings: Sequence[Finding], style: Style) -> Iterator[str]:
    if findings:
        lines = [style.strong(title)]
        for finding in findings:
            why = "; ".join(words.reasons(finding))
            parts = [f"{words.subject(finding)}: {finding.verdict}", why, words.figures(finding)]
            parts += [printable(finding.cure)] if finding.verdict in words.OPEN else []
            lines += _wrapped(" · ".join(filter(None, parts)), style, "  ", _INDENT)
        yield "\n".join(lines)


def _row(label: str, text: str, style: Style) -> Iterator[str]:
    for number, line in enumerate(_wrapped(text, style, _INDENT, _INDENT)):
        yield _labelled(label, line[len(_INDENT) :], style) if number == 0 else line


def _labelled(label: str, text: str, style: Style) -> str:
    return f"  {style.faint(label)}{' ' * (len(_INDENT) - 2 - len(label))}{text}"


def _wrapped(text: str, style: Style, first: str, rest: str) -> list[str]:
    if not style.width:
        return [first + text]
    width = max(style.width, len(rest) + _NARROWEST)
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        replace_whitespace=False,
        drop_whitespace=True,
        break_on_hyphens=False,
    ) or [first]
