"""A .heapsnapshot in the real Memory panel of Chrome's DevTools: class names, retained sizes, retainers."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from outlive.heap.snapshot import Snapshot
from tests.heap.service import EXPORT_BYTES, EXPORTS, KIB, ROWS, service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PANEL = "devtools://devtools/bundled/js_app.html?panel=heap-profiler"
TIMES = "\N{MULTIPLICATION SIGN}"
ROW = "tr.data-grid-data-grid-node"


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[Any]:
    """The Memory panel with the service's snapshot open, as it comes: a summary by class."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("chromium is not installed")
    snapshot = Snapshot(service().write(tmp_path / "service.heap"))
    file = snapshot.convert("heapsnapshot", tmp_path / "planted.heapsnapshot")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(PANEL)
        page.locator("input[type=file]").set_input_files(file)
        # While it loads, the entry says how far it is; then, how large the heap is.
        page.get_by_role("treeitem", name="planted").get_by_text("kB").or_(
            page.get_by_role("treeitem", name="planted").get_by_text("MB")
        ).wait_for()
        page.get_by_role("treeitem", name="planted").click()
        page.locator(ROW, has_text="app.Export").first.wait_for()
        yield page
        browser.close()
    assert not troubles


def cells(row: Any) -> list[str]:  # noqa: ANN401 - playwright may be missing
    return [cell.replace("\xa0", " ").strip() for cell in row.locator("td").all_inner_texts()]


def kilobytes(size: int) -> str:
    return f"{size / 1000:.1f} kB" if size < 100_000 else f"{size / 1000:.0f} kB"


def test_class_names_and_sizes(panel: Any) -> None:  # noqa: ANN401 - playwright may be missing
    shown = {row[0]: row for row in map(cells, panel.locator(ROW).all())}
    rows = shown[f"app.models.Row{TIMES}{ROWS * EXPORTS}"]
    assert rows[2].startswith(kilobytes(ROWS * EXPORTS * 64 * KIB))
    assert rows[3].startswith(kilobytes(ROWS * EXPORTS * 64 * KIB))
    assert shown[f"app.Export{TIMES}{EXPORTS}"][3].startswith(kilobytes(EXPORTS * EXPORT_BYTES))
    assert shown["app.Buffer"][3].startswith(kilobytes(10 * KIB))
    assert shown[f"app.Node{TIMES}2"][3].startswith("0.3 kB")  # garbage counts too
    assert {f"module{TIMES}2", "frame", "app.Batch", "int"} <= shown.keys()


def test_retainers_lead_to_the_root(panel: Any) -> None:  # noqa: ANN401 - playwright may be missing
    panel.locator(ROW, has_text="app.Export").first.click()
    panel.keyboard.press("ArrowRight")
    panel.locator(ROW, has_text="app.Export@").first.click()
    panel.locator(ROW, has_text="(interpreter)").first.wait_for()
    shown = [cells(row) for row in panel.locator(ROW).all()]
    words = [row[0].partition("@")[0] for row in shown]
    retained = [row[3] for row in shown if row[0].startswith("app.Export@")]
    assert [one.split("kB")[0].strip() for one in retained] == [kilobytes(EXPORT_BYTES).split()[0]] * EXPORTS
    path = [
        "['u0']indict",
        "['CACHE']indict",
        "__dict__inmodule",
        "['app.cache']indict",
        "sys.modulesin(interpreter)",
    ]
    start = next(at for at, word in enumerate(words) if word.endswith("indict"))
    assert [word.replace("u1", "u0").replace("u2", "u0") for word in words[start : start + len(path)]] == path
