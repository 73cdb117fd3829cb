"""Leak patterns as people look them up: at a terminal, and as pages of docs/reference."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from outlive.report.heap_table import PLAIN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outlive.report.style import Style
    from outlive.rules import Rule

_WIDTH = 100
_INDEX = """\
# Rules

A finding says by its number which leak pattern it shows; `outlive docs L02` prints a page of these. L01 to
L25 are patterns; B01 and on are what looks like one, and has a limit. A rule says nothing where it can't be
sure.

| rule | is | verdict | cure |
| --- | --- | --- | --- |
"""


def rules_text(rules: Iterable[Rule], style: Style = PLAIN) -> str:
    """Return a line for each rule."""
    return "".join(f"{style.strong(rule.number)}  {rule.title} ({rule.verdict})\n" for rule in rules)


def rule_text(rule: Rule, style: Style = PLAIN) -> str:
    """Return all that is known of one rule."""
    width = min(style.width or _WIDTH, _WIDTH)
    parts = [
        style.strong(f"{rule.number}  {rule.title}") + f"\nVerdict: {rule.verdict}",
        style.strong("Sign") + "\n" + textwrap.fill(_plain(rule.told), width),
        style.strong("Cure") + "\n" + textwrap.fill(rule.cure, width),
        style.strong("Before") + "\n" + textwrap.indent(rule.before.rstrip(), "    "),
        style.strong("After") + "\n" + textwrap.indent(rule.after.rstrip(), "    "),
    ]
    return "\n\n".join(parts) + "\n"


def rule_document(rule: Rule) -> dict[str, object]:
    """Return a rule as a document for `json.dumps`."""
    return {
        "rule": rule.number,
        "title": rule.title,
        "verdict": rule.verdict,
        "bounded": rule.bounded,
        "sign": _plain(rule.told),
        "cure": rule.cure,
        "before": rule.before,
        "after": rule.after,
    }


def rules_page(rules: Iterable[Rule]) -> str:
    """Return docs/reference/rules.md: a row for each rule, with a link to its page."""
    return _INDEX + "".join(
        f"| [{one.number}](rules/{one.number}.md) | {one.title} | {one.verdict} | {one.cure} |\n"
        for one in rules
    )


def rule_page(rule: Rule) -> str:
    """Return a rule's page, docs/reference/rules/L02.md."""
    return f"""\
# {rule.number}: {rule.title}

Verdict: {rule.verdict}.

{textwrap.fill(rule.told, 120)}

Cure: {rule.cure}

Before:

```python
{rule.before.rstrip()}
```

After:

```python
{rule.after.rstrip()}
```
"""


def _plain(text: str) -> str:
    return text.replace("`", "")
