"""The dominators' page, in a real browser: what it draws, and that no name in a snapshot becomes code."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from outlive.heap.snapshot import Snapshot
from outlive.report.heap_html import heap_html
from outlive.report.page import plotly
from tests.heap.service import EXPORT_BYTES, EXPORTS, service
from tests.heap.synthetic import Heap

if TYPE_CHECKING:
    from pathlib import Path

EVIL = [
    "</script><script>hacked=1</script><img/src=x/onerror=hacked=2>",
    '"onmouseover="hacked=4',
    "<a/href=javascript:hacked=6>x</a>",
    "{{hacked}}%{label}&lt;b&gt;",
    "<!--<script>",
]


def page_of(heap: Heap, folder: Path) -> str:
    return heap_html(Snapshot(heap.write(folder / "now.heap")))


def evil() -> Heap:
    heap = Heap()
    heap.module("app", **{name: heap.add(f"app.{name}", size=1 << 20) for name in EVIL})
    return heap


def boxes(page: str) -> dict[str, list[Any]]:
    found = re.search(r'id="charts">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    drawn: dict[str, list[Any]] = json.loads(found[1])["dominators"]
    return drawn


def test_parts_are_as_large_as_what_they_retain_and_never_more_than_the_whole(tmp_path: Path) -> None:
    heap = service()
    drawn = boxes(page_of(heap, tmp_path))
    exports = [
        size for name, size in zip(drawn["names"], drawn["values"], strict=True) if name.endswith("→ Export")
    ]
    assert exports == [EXPORT_BYTES] * EXPORTS
    assert drawn["values"][0] == sum(thing.size for thing in heap.things)
    parts = [0] * len(drawn["values"])
    for parent, size in zip(drawn["parents"], drawn["values"], strict=True):
        if parent >= 0:
            parts[parent] += size
    assert parts[0] == drawn["values"][0]
    assert all(part <= size for part, size in zip(parts, drawn["values"], strict=True))


def test_the_largest_are_listed_but_not_what_only_wraps_them(tmp_path: Path) -> None:
    page = page_of(service(), tmp_path).replace(plotly(), "")
    assert page.count("<td><span>list</span>") == EXPORTS
    assert "app.cache → CACHE[&#39;u0&#39;] → Export.rows → list[5]" in page
    assert "<td><span>app.Export</span>" not in page  # little but its list
    assert "<td><span>module</span>" not in page


def test_an_empty_heap_has_a_page(tmp_path: Path) -> None:
    assert "The snapshot has no objects." in page_of(Heap(), tmp_path)


def test_evil_names_are_shown_and_do_nothing(tmp_path: Path) -> None:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("chromium is not installed")
    text = page_of(evil(), tmp_path)
    bare = text.replace(plotly(), "")
    assert len(re.findall(r"<script\b", bare)) == 3
    assert "<img" not in bare
    file = tmp_path / "evil.html"
    file.write_text(text, encoding="utf-8")
    troubles: list[str] = []
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(offline=True).new_page()
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.extend({request.url} - {file.as_uri()}))
        page.goto(file.as_uri())
        for form in ("Treemap", "Icicle"):
            page.get_by_role("button", name=form).click()
            page.wait_for_selector(f"#dominators .{form.lower()}layer .slice")
            slices = page.locator("#dominators .slice")
            assert slices.count() == len(boxes(text)["names"])
            for slice_ in slices.all():
                slice_.hover(force=True)
        shown = page.inner_text("#largest")
        for name in EVIL:
            assert f"app.{name}" in shown
        assert page.query_selector_all("#dominators a, img, #largest script") == []
        assert page.evaluate("typeof hacked") == "undefined"
        browser.close()
    assert troubles == []
