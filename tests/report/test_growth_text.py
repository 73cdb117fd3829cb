"""What a test fails with, as people read it."""

from __future__ import annotations

from dataclasses import replace

from outlive.model.estimate import Estimate
from outlive.model.finding import Finding, Place
from outlive.model.growth import GaugeGrowth, Growth, GrowthLimit
from outlive.report.growth_text import growth_text, peak_text, reason

KIB = 1024
FINDING = Finding(
    verdict="leak",
    confidence="certain",
    scope="tests/test_export.py::test_export",
    runs=303,
    per_run_bytes=Estimate(10_000, 9_900, 10_100),
    certain_bytes=9_880,
    in_use_bytes=3_030_000,
    site=Place("/srv/app/export.py", 17, "export", "CACHE[job.id] = rows"),
    type="app.models.Row",
    objects_per_run=100,
    holder="module app.export → CACHE[17] → list[100] → Row",
    rule="L04",
    reasons=("CACHE grows with every run",),
    cure="take out what is done with",
)
GROWTH = Growth(
    verdict="leak",
    limit=GrowthLimit(KIB),
    runs=453,
    seconds=2.31,
    gauges=(GaugeGrowth("memory", Estimate(10_240, 9_728, 10_752)),),
    curve=(0, 1_000_000, 2_000_000, 4_000_000),
    reasons=("memory grows",),
    findings=(FINDING,),
    ignored={"pytest": 200.0},
)


def test_the_whole_of_it() -> None:
    assert growth_text(GROWTH, "tests/test_export.py::test_export") == (
        "LEAK   tests/test_export.py::test_export   10.0 KiB ± 0.5 a run · 453 runs in 2.3 s · "
        "the limit is 1.0 KiB\n"
        "  memory   ▃▅█ 3.8 MiB more after 453 runs\n"
        "  because memory grows\n"
        "  ignored pytest: 200 B a run\n"
        "\n"
        "LEAK   tests/test_export.py::test_export   9.8 KiB ± 0.1 per run outlives it · 303 runs · "
        "2.9 MiB now · certain (slope ≥ 9.6 KiB/run at 99 %)\n"
        "  made    /srv/app/export.py:17  CACHE[job.id] = rows      Row ×100/run\n"
        "  held    module app.export → CACHE[17] → list[100] → Row\n"
        "  why     CACHE grows with every run (L04)\n"
        "  cure    take out what is done with            outlive docs L04"
    )


def test_other_gauges_and_nothing_known() -> None:
    files = GaugeGrowth("file descriptors", Estimate(1, 1, 1))
    tasks = GaugeGrowth("asyncio tasks", Estimate(2.5, 2, 3))
    text = growth_text(replace(GROWTH, gauges=(files, tasks), findings=(), curve=()), "t")
    assert text.splitlines()[0].startswith("LEAK   t   1 file descriptor a run, 2.5 asyncio tasks a run · ")
    assert "made" not in text
    mapped = replace(
        GROWTH, gauges=(GaugeGrowth("mapped memory", Estimate(10_240, 9_728, 10_752)),), findings=()
    )
    assert "10.0 KiB ± 0.5 of mapped memory a run" in growth_text(mapped, "t")
    assert "made    by nothing a run took from Python or malloc" in growth_text(mapped, "t")


def test_many_findings_and_names_that_are_no_text() -> None:
    text = growth_text(replace(GROWTH, findings=(FINDING,) * 5), "t[\x1b[31m]")
    assert text.count("made ") == 3
    assert text.endswith("\nand 2 more findings")
    assert "\x1b" not in text


def test_why_it_is_no_failure() -> None:
    assert reason(replace(GROWTH, verdict="not enough data", reasons=("few", "more"))) == (
        "not enough data: few; more"
    )


def test_a_peak() -> None:
    made = [("app/x.py:3  rows = list(q)", 3e6), ("app/x.py:9  text = ''.join(rows)", 2e6)]
    assert peak_text("t", 5 << 20, 4 << 20, made) == (
        "PEAK   t   5.0 MiB over its start, Python's and native · the limit is 4.0 MiB\n"
        "  made    app/x.py:3  rows = list(q)   allocated 2.9 MiB in all\n"
        "          app/x.py:9  text = ''.join(rows)   allocated 1.9 MiB in all"
    )
