"""Findings as people read them, letter by letter."""

from __future__ import annotations

import dataclasses

import pytest

from outlive.model.breakdown import Breakdown
from outlive.model.estimate import Estimate
from outlive.model.finding import Finding, Place
from outlive.report.breakdown import Subject
from outlive.report.finding_text import finding_text
from outlive.report.finding_words import spread
from outlive.report.style import Style

MIB = 1 << 20
SUBJECT = Subject(77, "service.py, pid 77")
LEAK = Finding(
    verdict="leak",
    confidence="certain",
    scope="export",
    runs=100,
    per_run_bytes=Estimate(27.3 * MIB, 25.4 * MIB, 29.2 * MIB),
    certain_bytes=25.9 * MIB,
    in_use_bytes=2734.1 * MIB,
    site=Place("app/jobs/export_job.py", 15, "export", "    activities = (await session.scalars(q)).all()"),
    type="app.models.UserActivity",
    objects_per_run=100_000.0,
    holder="module app.db.session → SESSIONS['…'] → AsyncSession.sync_session → Session.identity_map → "
    "UserActivity",
    rule="L02",
    reasons=("a session is opened per run and never closed",),
    cure="async with AsyncSession(engine) as session: …",
)
PLAIN = Finding("steady", "unknown", "", 0, None, 0.0, 0.0, None, "", 0.0, "", "", (), "")
BOUNDED = dataclasses.replace(
    PLAIN,
    verdict="bounded growth",
    confidence="certain",
    scope="GET /users/{id}",
    runs=300,
    rule="B01",
    in_use_bytes=4.0 * MIB,
    reasons=("the cache of app.load has a limit",),
)
UNKNOWN = dataclasses.replace(
    PLAIN, verdict="not enough data", scope="nightly", runs=3, reasons=("47 more runs are needed",)
)
BLOAT = dataclasses.replace(
    PLAIN,
    verdict="peak bloat",
    confidence="likely",
    scope="report",
    runs=50,
    reasons=("fetchall() makes all of it at once", "the highest run held 2.1 GiB"),
    rule="L01",
    cure="stream",
)
RETAINED = dataclasses.replace(
    PLAIN, verdict="allocator retention", reasons=("900.0 MiB are free in malloc",), cure="smaller peaks"
)
BREAKDOWN = Breakdown(100 * MIB, 50 * MIB, 10 * MIB, 20 * MIB, 10 * MIB, MIB, 5 * MIB, MIB, 3 * MIB)

WHOLE = """\
LEAK   export   27.3 MiB ± 1.9 per run outlives it · 100 runs · 2.7 GiB now · certain (slope ≥ 25.9 MiB/run at 99 %)
  made    app/jobs/export_job.py:15  activities = (await session.scalars(q)).all()      UserActivity ×100,000/run
  held    module app.db.session → SESSIONS['…'] → AsyncSession.sync_session → Session.identity_map → UserActivity
  why     a session is opened per run and never closed (L02)
  cure    async with AsyncSession(engine) as session: …            outlive docs L02

PEAK BLOAT   report   50 runs · likely
  why     fetchall() makes all of it at once (L01)
          the highest run held 2.1 GiB
  cure    stream            outlive docs L01

ALLOCATOR RETENTION   (whole process)
  why     900.0 MiB are free in malloc
  cure    smaller peaks

Not a leak
  GET /users/{id}: bounded growth · the cache of app.load has a limit (B01) · 300 runs · 4.0 MiB now · certain
  (whole process): steady

Not known yet
  nightly: not enough data · 47 more runs are needed · 3 runs
"""  # noqa: E501 - as wide as it is
NARROW = """\
LEAK   export   27.3 MiB ± 1.9 per run outlives it · 100
          runs · 2.7 GiB now · certain (slope ≥ 25.9 MiB/run
          at 99 %)
  made    app/jobs/export_job.py:15  activities = (await
          session.scalars(q)).all()      UserActivity
          ×100,000/run
  held    module app.db.session → SESSIONS['…']
            → AsyncSession.sync_session
            → Session.identity_map → UserActivity
  why     a session is opened per run and never closed (L02)
  cure    async with AsyncSession(engine) as session: …
          outlive docs L02
"""


def test_the_page() -> None:
    findings = [BOUNDED, LEAK, UNKNOWN, BLOAT, PLAIN, RETAINED]
    assert finding_text(findings, None, SUBJECT) == WHOLE


def test_a_narrow_terminal_gets_all_of_it_on_more_lines() -> None:
    text = finding_text([LEAK], None, SUBJECT, Style(width=60))
    assert text == NARROW
    assert max(map(len, text.splitlines())) <= 60


@pytest.mark.parametrize("width", [1, 20, 31, 47, 80])
def test_no_width_loses_a_word(width: int) -> None:
    text = finding_text([LEAK, BOUNDED, UNKNOWN], None, SUBJECT, Style(width=width))
    whole = finding_text([LEAK, BOUNDED, UNKNOWN], None, SUBJECT)
    assert text.replace("\n", "").replace(" ", "") == whole.replace("\n", "").replace(" ", "")


def test_only_a_terminal_gets_colour() -> None:
    assert "\033[" not in finding_text([LEAK], None, SUBJECT)
    text = finding_text([LEAK], None, SUBJECT, Style(is_coloured=True, width=200))
    assert text.startswith("\033[1mLEAK   export\033[0m   27.3 MiB")
    assert "\033[2mmade\033[0m    app/jobs" in text


def test_the_breakdown_is_below() -> None:
    above, _, below = finding_text([LEAK], BREAKDOWN, SUBJECT).partition(
        "\n\nservice.py, pid 77 · RSS 100.0 MiB\n"
    )
    assert above.startswith("LEAK")
    assert "Python in use" in below


def test_without_findings_one_sentence_says_what_was_looked_at() -> None:
    assert finding_text([], None, SUBJECT) == (
        "No findings: outlive looked at the runs of every scope, and the process as a whole, "
        "and has nothing to say of it.\n"
    )
    assert "looked at 12 runs of GET /," in finding_text([], None, SUBJECT, looked_at="12 runs of GET /")


def test_names_steer_no_terminal() -> None:
    evil = "a\x1b[31m\nb\x9b"
    bad = dataclasses.replace(
        LEAK,
        scope=evil,
        site=Place(evil, 1, evil, evil),
        type=evil,
        holder=evil,
        rule=evil,
        reasons=(evil,),
        cure=evil,
    )
    for finding in (bad, dataclasses.replace(bad, verdict="steady")):
        text = finding_text([finding], None, SUBJECT, Style(width=80))
        assert not {"\x1b", "\x9b"} & set(text)
    assert "\nb" not in text


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0, 0, 0), "0 B"),
        (Estimate(0, 0, 700), "at most 700 B"),
        (Estimate(512, 500, 524), "512 B ± 12"),
        (Estimate(10 * 1024, 9 * 1024, 11 * 1024), "10.0 KiB ± 1.0"),
        (Estimate(MIB, MIB, MIB), "1.0 MiB"),
        (Estimate(-2048.0, -4096.0, 0.0), "-2.0 KiB ± 2.0"),
        (Estimate(20.0, 0.0, 4 * MIB), "at most 4.0 MiB"),
    ],
)
def test_an_interval_is_in_its_estimate_s_unit(estimate: Estimate, text: str) -> None:
    assert spread(estimate) == text


def test_a_finding_with_nothing_known_is_one_line() -> None:
    bare = dataclasses.replace(PLAIN, verdict="leak", scope="export")
    assert finding_text([bare], None, SUBJECT) == "LEAK   export\n"
