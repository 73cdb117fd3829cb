"""The page, in a real browser: what it draws, and that no name in a recording becomes code."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from outlive.errors import OutliveError
from outlive.report.page import plotly
from outlive.report.recording_html import recording_html
from tests.recording.synthetic import point, recording, sample, stack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from outlive.model.recording import Recording

MIB = 1 << 20
EVIL = [
    "</script><script>hacked=1</script><img/src=x/onerror=hacked=2>",
    "<img/src=x/onerror=hacked=3>",
    '"onmouseover="hacked=4',
    "'};hacked=5;//",
    "<a/href=javascript:hacked=6>x</a>",
    "{{hacked}}%{label}&lt;b&gt;",
    "<b>bold</b><br>",
    "<!--<script>",
]


def known() -> Recording:
    stacks = {
        1: stack("<module> /srv/app.py:5", "<lambda> /srv/app.py:9", allocated=60.0 * MIB),
        2: stack("load /lib/python3.12/json/decoder.py:2", "serve /srv/app.py:9", allocated=20.0 * MIB),
    }
    samples = [sample(1, 6 * MIB), sample(2, 14 * MIB), sample(2, MIB)]
    timeline = [point(float(at), rss=(10 + at) * MIB, python_in_use=at * MIB) for at in range(5)]
    return recording(stacks, samples, timeline, notes={"program": "serve.py"})


def evil() -> Recording:
    stacks = {at: stack(f"{name} /srv/{name}.py:{at}", "main /m.py:1") for at, name in enumerate(EVIL, 1)}
    samples = [sample(at) for at in stacks]
    timeline = [point(0.0, rss=MIB), point(1.0, rss=MIB)]
    notes = {"program": EVIL[0], "python": EVIL[1], "raised": EVIL[2]}
    return recording(stacks, samples, timeline, notes=notes, current_interval_bytes=1 << 18)


def charts(page: str) -> dict[str, Any]:
    found = re.search(r'id="charts">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    document: dict[str, Any] = json.loads(found[1])
    return document


def test_a_frame_is_as_wide_as_what_it_holds_and_its_parts_never_wider() -> None:
    flame = charts(recording_html(known()))["flame"]
    held = dict(zip(flame["names"], flame["values"], strict=True))
    assert held == {name: pytest.approx(size * MIB, abs=MIB // 2) for name, size in WIDTHS.items()}
    parts = [0] * len(flame["values"])
    for parent, size in zip(flame["parents"], flame["values"], strict=True):
        if parent >= 0:
            parts[parent] += size
    assert all(part <= size for part, size in zip(parts, flame["values"], strict=True))


WIDTHS = {"all": 21, "<lambda>": 6, "<module>": 6, "serve": 15, "load": 15}


def test_a_long_timeline_is_thinned_and_keeps_its_peak() -> None:
    points = [point(float(at), rss=MIB, rss_peak=(900 * MIB if at == 7001 else MIB)) for at in range(16320)]
    timeline = charts(recording_html(recording(timeline=points)))["timeline"]
    assert len(timeline["time"]) <= 1500
    assert max(timeline["peak"]) == 900 * MIB
    assert timeline["time"][-1] > timeline["time"][0]


def test_an_empty_recording_has_a_page() -> None:
    page = recording_html(recording())
    assert "Nothing that was sampled is alive." in page
    assert 'id="flame"' not in page
    assert 'id="timeline"' not in page


def test_no_name_is_markup_and_only_the_page_s_own_scripts_may_run() -> None:
    page = recording_html(evil())
    assert len(re.findall(r"<script\b", page.replace(plotly(), ""))) == 3
    assert "<img" not in page.replace(plotly(), "")
    (nonce,) = set(re.findall(r'nonce="([^"]+)"', page))
    assert f"default-src 'none'; script-src 'nonce-{nonce}'" in page
    assert nonce not in recording_html(evil())


def test_without_plotly_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(OutliveError, match="pip install plotly"):
        recording_html(known())


class Browser:
    """A page that was opened offline, and what it complained of."""

    def __init__(self, browser: Any) -> None:  # noqa: ANN401 - playwright may be missing
        self.browser = browser
        self.troubles: list[str] = []

    def open(self, file: Path, content: str, scheme: str = "light") -> Any:  # noqa: ANN401 - the same
        file.write_text(content, encoding="utf-8")
        self.troubles.clear()
        page = self.browser.new_context(color_scheme=scheme, offline=True).new_page()
        page.on("console", lambda message: self.troubles.append(message.text))
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("request", lambda request: self.troubles.extend({request.url} - {file.as_uri()}))
        page.goto(file.as_uri())
        return page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("chromium is not installed")
    with api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield Browser(launched)
        launched.close()


def test_evil_names_are_shown_and_do_nothing(browser: Browser, tmp_path: Path) -> None:
    page = browser.open(tmp_path / "evil.html", recording_html(evil()))
    page.wait_for_selector("#flame .slice")
    assert len(page.query_selector_all("#flame .slice")) == len(EVIL) + 2
    shown = page.inner_text("#sites")
    for name in EVIL:
        assert name in shown
    drawn = {
        text.replace("\N{ZERO WIDTH SPACE}", "") for text in page.locator("#flame text").all_text_contents()
    }
    assert set(EVIL) <= drawn
    for slice_ in page.query_selector_all("#flame .slice"):
        slice_.hover()
    assert page.query_selector_all("#flame a, img, #sites script") == []
    assert page.evaluate("typeof hacked") == "undefined"
    assert browser.troubles == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_drawn_light_and_dark_and_again_when_that_changes(
    browser: Browser, tmp_path: Path, scheme: str
) -> None:
    page = browser.open(tmp_path / "page.html", recording_html(known()), scheme)
    page.wait_for_selector("#timeline .scatterlayer .trace")
    colour = page.evaluate("document.querySelector('#flame .slice path.surface').style.fill")
    assert colour.startswith("rgb")
    page.emulate_media(color_scheme="dark" if scheme == "light" else "light")
    page.wait_for_selector(f"#flame .slice:first-child path.surface:not([style*='{colour}'])")
    assert browser.troubles == []


def test_clicking_a_frame_zooms_into_it(browser: Browser, tmp_path: Path) -> None:
    page = browser.open(tmp_path / "page.html", recording_html(known()))
    page.wait_for_selector("#flame .slice")
    slice_ = page.locator("#flame .slice", has_text="<lambda>").first
    whole = page.locator("#flame .slice").first.bounding_box()["width"]
    assert slice_.bounding_box()["width"] == pytest.approx(whole * 6 / 21, rel=0.02)
    slice_.click()
    page.wait_for_selector("#flame .pathbar")
    page.locator("#flame .slice", has_text="load").first.wait_for(state="detached")
    assert slice_.bounding_box()["width"] == pytest.approx(whole, rel=0.02)
    assert browser.troubles == []


def test_headings_sort_and_the_filter_hides(browser: Browser, tmp_path: Path) -> None:
    page = browser.open(tmp_path / "page.html", recording_html(known()))
    order = """[...document.querySelectorAll("#sites summary")]
        .filter((line) => line.checkVisibility()).map((line) => line.title)"""
    assert page.evaluate(order) == ["/lib/python3.12/json/decoder.py", "/srv/app.py"]
    page.get_by_role("button", name="In use").click()
    assert page.evaluate(order) == ["/srv/app.py", "/lib/python3.12/json/decoder.py"]
    page.get_by_role("button", name="Allocated in all").click()
    assert page.evaluate(order) == ["/srv/app.py", "/lib/python3.12/json/decoder.py"]
    page.get_by_label("Filter lines").fill("LOAD")
    assert page.evaluate(order) == ["/lib/python3.12/json/decoder.py"]
    assert browser.troubles == []
