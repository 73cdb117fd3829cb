"""Findings as a page: what it shows, and that no name becomes code."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from outlive.model.finding import VERDICTS, Place
from outlive.report.breakdown import Subject
from outlive.report.finding_html import finding_html
from tests.report.test_finding_text import BLOAT, BOUNDED, BREAKDOWN, LEAK, PLAIN, SUBJECT, UNKNOWN
from tests.report.test_recording_html import EVIL, Browser, browser

if TYPE_CHECKING:
    from pathlib import Path

    from outlive.model.finding import Verdict

__all__ = ["browser"]

COLOURS = """(() => {
    const style = getComputedStyle(document.body);
    return [style.color, style.backgroundColor];
})()"""


class Words(HTMLParser):
    """The text of a page, and its elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]


def test_a_finding_has_its_four_lines() -> None:
    page = Words(finding_html([LEAK], BREAKDOWN, SUBJECT))
    for words in (
        "27.3 MiB ± 1.9 per run outlives it",
        "app/jobs/export_job.py:15",
        "activities = (await session.scalars(q)).all()",
        "UserActivity ×100,000/run",
        "SESSIONS['…']",
        "a session is opened per run and never closed (L02)",
        "async with AsyncSession(engine) as session: …",
        "outlive docs L02",
        "Python in use",
        "service.py, pid 77",
    ):
        assert words in page.text
    assert "Not a leak" not in page.text


def test_what_is_no_leak_is_listed_with_why() -> None:
    page = Words(finding_html([BOUNDED, PLAIN, UNKNOWN, BLOAT], None, SUBJECT)).text
    above, _, below = page.partition("Not a leak")
    assert "peak bloat" in above
    listed, _, unknown = below.partition("Not known yet")
    assert "the cache of app.load has a limit (B01)" in listed
    assert "47 more runs are needed" in unknown
    assert "Where the memory goes" not in page


def test_without_findings_it_says_what_was_looked_at() -> None:
    assert "No findings: outlive looked at 3 scopes" in finding_html([], None, SUBJECT, looked_at="3 scopes")


def test_the_page_is_small_and_runs_nothing() -> None:
    page = finding_html([LEAK], BREAKDOWN, SUBJECT)
    assert len(page) < 20_000
    assert "script" not in Words(page).tags
    assert "default-src 'none'; script-src 'nonce-" in page
    assert "prefers-color-scheme: dark" in page
    assert not re.search(r"(?:src|href|url)\s*[=(]", page)


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("name", EVIL)
def test_names_are_text(verdict: Verdict, name: str) -> None:
    bad = dataclasses.replace(
        LEAK,
        verdict=verdict,
        scope=name,
        site=Place(f"/{name}.py", 1, name, name),
        type=name,
        holder=f"{name} → {name}",
        rule=name,
        reasons=(name,),
        cure=name,
    )
    page = Words(finding_html([bad], None, Subject(1, name), looked_at=name))
    assert not {"script", "img", "a"} & set(page.tags)
    assert page.text.count(name) >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable_in_light_and_dark(browser: Browser, tmp_path: Path, scheme: str) -> None:
    findings = [LEAK, dataclasses.replace(LEAK, scope=EVIL[0], holder=EVIL[1] * 40), BOUNDED]
    page = browser.open(tmp_path / "page.html", finding_html(findings, BREAKDOWN, SUBJECT), scheme)
    ink, paper = page.evaluate(COLOURS)
    light = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ink, paper)]
    assert (light[0] < light[1]) is (scheme == "light")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("typeof hacked") == "undefined"
    assert browser.troubles == []
