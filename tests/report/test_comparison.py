"""Before and after, for people and for scripts."""

from __future__ import annotations

import json
import math

from outlive.diagnose.comparison import Comparison, Outcome, ScopeOutcome, compare, pooled
from outlive.model.estimate import Estimate
from outlive.report.comparison_json import comparison_json
from outlive.report.comparison_text import comparison_text
from outlive.report.style import Style

KIB, MIB = 1 << 10, 1 << 20
NAMES = ("job.py at HEAD (5e47f327d5)", "job.py as it is here")
LEAK = ScopeOutcome("export", 100, "leak", Estimate(27.3 * MIB, 25.9 * MIB, 29.2 * MIB))
CLEAN = ScopeOutcome("export", 100, "steady", Estimate(0, 0, 4.7 * KIB))
FEW = ScopeOutcome("start", 3, "not enough data", Estimate(0, 0, math.inf), ("3 runs have ended",), 17)


def executed(*scopes: ScopeOutcome, peak: int = 100 * MIB, seconds: float = 12.0) -> Outcome:
    return Outcome({scope.name: scope for scope in scopes}, peak, peak // 2, seconds)


def text(compared: Comparison, rounds: int = 1) -> str:
    return comparison_text(compared, NAMES, rounds, Style())


def test_a_fix_reads_so() -> None:
    before = pooled([executed(LEAK, FEW, peak=2355 * MIB)])
    after = pooled([executed(CLEAN, FEW, peak=62 * MIB, seconds=8.25)])
    assert text(compare(before, after)) == (
        "Before      job.py at HEAD (5e47f327d5)\n"
        "After       job.py as it is here\n"
        "\n"
        "Survivors   27.3 ± 1.9 MiB → 0.0 ± 4.7 KiB per run of export (100 → 100 runs)\n"
        "Survivors   ? → ? per run of start (3 → 3 runs)\n"
        "Peak RSS    2,355.0 → 62.0 MiB (\N{MINUS SIGN}97 %)\n"
        "Peak Python 1,177.5 → 31.0 MiB (\N{MINUS SIGN}97 %)\n"
        "Time        12.00 → 8.25 s\n"
        "\n"
        "Verdict     fixed\n"
        "            export: at least 25.9 MiB a run outlived it; now at most 4.7 KiB a run\n"
        "            start: not enough data: whether it leaked before is not known: 3 runs have ended\n"
        "            about 17 more runs of start would tell: have it do more\n"
    )


def test_rounds_show_how_far_they_lie_apart() -> None:
    before = pooled([executed(LEAK, peak=peak * MIB, seconds=peak / 10) for peak in (90, 100, 120)])
    after = pooled([executed(CLEAN, peak=peak * MIB, seconds=10) for peak in (100, 100, 100)])
    shown = text(compare(before, after), 3).splitlines()
    assert shown[1] == "After       job.py as it is here, 3 rounds each"
    assert "Peak RSS    100.0 (90.0 to 120.0) → 100.0 MiB (±0 %)" in shown
    assert "Time        10.00 (9.00 to 12.00) → 10.00 s (±0 %)" in shown


def test_without_a_scope_it_says_what_to_do() -> None:
    shown = text(compare(pooled([Outcome({})]), pooled([Outcome({})])))
    assert "Peak RSS    not known\n" in shown
    assert 'with outlive.scope("export"): …' in shown
    assert "Verdict     not enough data\n" in shown


def test_a_scope_of_one_side_and_a_name_that_steers_terminals() -> None:
    strange = ScopeOutcome("\033[2Jjob", 100, "leak", LEAK.per_run)
    shown = text(compare(pooled([executed(strange)]), pooled([executed()])))
    assert "→ none per run of" in shown
    assert "(100 → 0 runs)" in shown
    assert "\033" not in shown


def test_json_has_no_infinity() -> None:
    compared = compare(pooled([executed(LEAK, FEW)]), pooled([executed(CLEAN, FEW)]))
    document = json.loads(json.dumps(comparison_json(compared, NAMES), allow_nan=False))
    assert (document["schema"], document["verdict"], document["rounds"]) == (1, "fixed", 1)
    assert document["before"]["name"] == NAMES[0]
    assert document["before"]["peak_rss_bytes"] == {
        "estimate": 100 * MIB,
        "low": 100 * MIB,
        "high": 100 * MIB,
    }
    by_name = {scope["scope"]: scope for scope in document["scopes"]}
    assert by_name["start"]["before"]["per_run_bytes"] == {"estimate": 0, "low": 0, "high": None}
    assert (by_name["start"]["more_runs"], by_name["export"]["more_runs"]) == (17, 0)
    assert by_name["export"]["after"]["per_run_bytes"]["high"] == round(4.7 * KIB)
