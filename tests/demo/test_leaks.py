"""Of each planted leak, all that can be said wrong is noticed, and so is a cure that does not cure."""

import ast
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from outlive.demo.leaks import (
    EXPORTS,
    LIMIT_BYTES,
    PLANTED,
    SCOPE,
    Planted,
    failures,
    leak_json,
    outcome_of,
    read_finding,
    tell_leak,
    wrong_with,
)
from outlive.diagnose.comparison import Comparison, Outcome, ScopeOutcome, Side, compare, pooled
from outlive.model.estimate import Estimate
from outlive.model.finding import Finding, Place
from outlive.report.finding_json import finding_document
from outlive.report.style import Style
from outlive.rules import ALL

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/leaky_export/leaks.py"
LINE = next(
    number
    for number, line in enumerate(EXAMPLE.read_text(encoding="utf-8").splitlines(), 1)
    if "await session.scalars(" in line
)
SOURCE = EXAMPLE.read_text(encoding="utf-8").splitlines()[LINE - 1].strip()


def right(planted: Planted) -> Finding:
    return Finding(
        verdict="leak",
        confidence="certain",
        scope=SCOPE,
        runs=EXPORTS,
        per_run_bytes=Estimate(3e6, 2.8e6, 3.2e6),
        certain_bytes=2_700_000,
        in_use_bytes=300_000_000,
        site=Place(str(EXAMPLE), LINE, "_fetch", SOURCE),
        type="dict",
        objects_per_run=2.5,
        holder=f"module examples.leaky_export.leaks → {planted.held}…",
        rule=planted.rule,
        reasons=("it grows",),
        cure="close it",
    )


def cured(after: float) -> Comparison:
    """What 3 MB a run came to."""

    def side(size: float, kind: Literal["leak", "steady"]) -> Side:
        scope = ScopeOutcome(SCOPE, EXPORTS, kind, Estimate(size, size * 0.9, size * 1.1))
        return pooled([Outcome({SCOPE: scope}, 400_000_000, 300_000_000, 4.0)])

    after_side = side(after, "leak" if after > LIMIT_BYTES else "steady")
    return compare(side(3e6, "leak"), after_side, LIMIT_BYTES, SCOPE)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_what_is_right_is_right(planted: Planted) -> None:
    assert wrong_with([right(planted)], planted, ROOT) == []


@pytest.mark.parametrize(
    ("otherwise", "said"),
    [
        ({"verdict": "steady"}, "verdict: steady, not leak"),
        ({"confidence": "likely"}, "confidence: likely, not certain"),
        ({"scope": "import"}, "scope: import, not export"),
        ({"runs": EXPORTS - 1}, f"runs: {EXPORTS - 1}, not {EXPORTS}"),
        ({"site": None}, "made: no line, not examples/leaky_export/leaks.py"),
        ({"site": Place("/other/leaks.py", LINE, "_fetch", SOURCE)}, "made: /other/leaks.py"),
        (
            {"site": Place(str(EXAMPLE), 1, "_write", "file.write(text)")},
            f"made: {EXAMPLE}:1 file.write(text)",
        ),
        ({"holder": ""}, "held: nothing, not module examples.leaky_export.leaks"),
        ({"holder": "module app → CACHE['x']"}, "held: module app → CACHE['x'], not module examples."),
        ({"rule": "L99"}, "rule: L99, not L0"),
        ({"cure": ""}, "cure: nothing"),
    ],
)
@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_anything_else_is_told(planted: Planted, otherwise: dict[str, Any], said: str) -> None:
    (wrong,) = wrong_with([replace(right(planted), **otherwise)], planted, ROOT)
    assert wrong.startswith(said)


def test_a_leak_that_is_not_found() -> None:
    assert wrong_with([], PLANTED[0], ROOT) == ["nothing was found"]


def test_the_worst_finding_counts() -> None:
    first, second = (right(planted) for planted in PLANTED[:2])
    assert wrong_with([first, second], PLANTED[0], ROOT) == []
    assert wrong_with([second, first], PLANTED[0], ROOT) != []


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_what_is_expected_is_in_the_example(planted: Planted) -> None:
    module = ast.parse(EXAMPLE.read_text(encoding="utf-8"))
    names = {target.id for node in module.body for target in ast.walk(node) if isinstance(target, ast.Name)}
    functions = {node.name for node in module.body if isinstance(node, ast.AsyncFunctionDef)}
    held = re.match(r"\w+", planted.held)
    assert held
    assert held[0] in names
    assert {f"{planted.name}_leak", f"{planted.name}_cured"} <= functions
    assert planted.rule in {rule.number for rule in ALL}


@pytest.mark.parametrize(
    "finding", [right(PLANTED[0]), replace(right(PLANTED[0]), site=None, per_run_bytes=None)]
)
def test_a_finding_is_read_as_it_was_written(finding: Finding) -> None:
    assert read_finding(json.loads(json.dumps(finding_document(finding)))) == finding


def test_found_and_cured() -> None:
    run = {"findings": [finding_document(right(PLANTED[1]))]}
    leak = outcome_of(PLANTED[1], run, cured(100), ROOT)
    assert failures([leak]) == []
    told = tell_leak(leak, Style())
    assert "The session leak" in told
    assert "Verdict     fixed" in told
    assert "Not found" not in told
    document = leak_json(leak)
    assert document["name"] == "session"
    assert document["verified"] is True
    assert document["wrong"] == []
    assert document["finding"] == run["findings"][0]
    assert document["before"]["per_run_bytes"]["estimate"] == 3_000_000  # type: ignore[index]
    assert document["after"]["per_run_bytes"]["estimate"] == 100  # type: ignore[index]
    assert document["after"]["peak_rss_bytes"]["estimate"] == 400_000_000  # type: ignore[index]


def test_a_cure_that_is_none() -> None:
    leak = outcome_of(PLANTED[0], {"findings": [finding_document(right(PLANTED[0]))]}, cured(2.9e6), ROOT)
    assert failures([leak]) == ["the cure of the cache leak was not verified"]
    assert leak_json(leak)["verified"] is False
    assert "Verdict     not fixed" in tell_leak(leak, Style())


def test_neither_found_nor_cured() -> None:
    nothing = pooled([Outcome({})])
    leak = outcome_of(PLANTED[0], {"findings": []}, compare(nothing, nothing, LIMIT_BYTES, SCOPE), ROOT)
    assert len(failures([leak])) == 2
    assert "Not found as it is.\n  nothing was found" in tell_leak(leak, Style())
    document = leak_json(leak)
    assert document["finding"] is None
    assert document["verified"] is False
    json.dumps(document, allow_nan=False)
