"""docs/reference says of rules what their files say."""

from __future__ import annotations

import os

from outlive.report.rule_text import rule_page, rule_text, rules_page, rules_text
from outlive.report.style import Style
from outlive.rules import BY_NUMBER
from tests.guards.checkout import ROOT

REFERENCE = ROOT / "docs" / "reference"
AGAIN = "write them anew: OUTLIVE_WRITE_DOCS=1 pytest tests/rules/test_docs.py"


def test_the_pages_are_what_the_rules_say() -> None:
    pages = {f"rules/{rule.number}.md": rule_page(rule) for rule in BY_NUMBER.values()}
    pages["rules.md"] = rules_page(BY_NUMBER.values())
    if os.environ.get("OUTLIVE_WRITE_DOCS") == "1":
        (REFERENCE / "rules").mkdir(exist_ok=True)
        for name, page in pages.items():
            (REFERENCE / name).write_text(page, encoding="utf-8")
    found = [REFERENCE / "rules.md", *(REFERENCE / "rules").iterdir()]
    written = {str(path.relative_to(REFERENCE)): path.read_text(encoding="utf-8") for path in found}
    assert written == pages, AGAIN


def test_each_rule_is_a_line_of_the_list() -> None:
    assert [line[:3] for line in rules_text(BY_NUMBER.values()).splitlines()] == [*BY_NUMBER]


def test_a_rule_at_a_terminal_fits_it_and_its_code_is_whole() -> None:
    rule = BY_NUMBER["L02"]
    text = rule_text(rule, Style(is_coloured=True, width=60))
    assert "\033[1mBefore\033[0m" in text
    prose = text.partition("Before")[0]
    assert max(map(len, prose.splitlines())) <= 60 + len("\033[1m\033[0m")
    for line in (*rule.before.splitlines(), *rule.after.splitlines()):
        assert line in text
