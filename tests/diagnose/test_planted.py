"""Planted programs: docstrings of the leaking say what is to be found, of the innocent that nothing is.

    expect: leak
    scope: export
    rule: L04
    holder: module __main__ → CACHE
    per run: 20057

and the line that makes what leaks ends in "# made". The innocent: "expect: no leak".
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.guards.checkout import ROOT
from tests.heap.told import first_missing

LONG = os.environ.get("OUTLIVE_LONG") == "1"  # all programs in both modes, minutes instead of seconds
PATIENCE_SECONDS = 1200
SAMPLED_RUNS, EXACT_RUNS = 300, 50

FOLDER = ROOT / "tests" / "programs"
LEAKS = sorted((FOLDER / "leaks").glob("*.py"))
INNOCENT = sorted((FOLDER / "innocent").glob("*.py"))

# What everyday runs look at: a program of each kind of holder and of each kind of innocence.
BRIEF = {
    "sampled": {
        "cache_by_request", "cycles_without_collector", "error_on_job", "head_of_array", "history_of_rows",
        "lru_cache_on_method", "unread_queue",
        "cache_cleared_at_times", "cache_that_evicts", "deque_that_fills_late", "log_growth", "warm_up",
    },
    "exact": {"class_level_register", "seen_ids", "tasks_kept", "cycles_collected", "ring_buffer"},
}  # fmt: skip

# Every block, once the modules are in: what a program's runs keep is what it is about, not its libraries.
EXACTLY = """
import ast, importlib, pathlib, sys
import outlive
from outlive.capture import sampling
from outlive.cli import main

for node in ast.parse(pathlib.Path(sys.argv[-1]).read_text()).body:
    for name in (
        [alias.name for alias in node.names] if isinstance(node, ast.Import)
        else [node.module] if isinstance(node, ast.ImportFrom) else []
    ):
        importlib.import_module(name)
outlive.start(1, size="128 MiB")
sampling.insist()
main()
"""
# What a run of a leak leaves, as tracemalloc sees it.
WITNESS = """
import array, gc, runpy, sys, tracemalloc
import outlive
from outlive.capture import scopes

outlive.start(1 << 40)  # no block; runs are runs all the same
in_use, ended, leave = array.array("q", bytes(8000)), 0, scopes.leave

def left(*run):
    global ended
    leave(*run)
    if sys.argv[2] == "leak":
        gc.collect()
    in_use[ended] = tracemalloc.get_traced_memory()[0]
    ended += 1

scopes.leave = left
tracemalloc.start(1)
runpy.run_path(sys.argv[1], run_name="__main__")
added = sorted(in_use[i + 1] - in_use[i] for i in range(ended // 3, ended - 1))
print(added[len(added) // 2], sum(added) / len(added))
"""
COMMANDS = {"sampled": [sys.executable, "-m", "outlive"], "exact": [sys.executable, "-c", EXACTLY]}
RUNS = {"sampled": SAMPLED_RUNS, "exact": EXACT_RUNS}
# How far what is found may be from what is planted, beyond its interval. That of samples is at 95 %, and
# there are many programs.
TOLERANCE = {"sampled": 0.5, "exact": 0.15}

WITNESS_TOLERANCE = 0.1  # and Pythons differ


@dataclass(frozen=True)
class Truth:
    """What a program's docstring says: the verdict and, as far as it is about a leak, all of it."""

    verdict: str
    scope: str = ""
    rule: str = ""
    words: tuple[str, ...] = ()  # of the holder path, in order
    per_run_bytes: int = 0
    made: int = 0  # line


def truth_of(source: str) -> Truth:
    """Read a program's docstring and its mark."""
    docstring = ast.get_docstring(ast.parse(source)) or ""
    said = dict(line.split(": ", 1) for line in docstring.partition("\n\n")[2].splitlines())
    assert said.keys() <= {"expect", "scope", "rule", "holder", "per run"}
    made = [number for number, line in enumerate(source.splitlines(), 1) if line.endswith("# made")]
    return Truth(
        said["expect"],
        said.get("scope", ""),
        said.get("rule", ""),
        tuple(said["holder"].split(" → ")) if "holder" in said else (),
        int(said.get("per run", 0)),
        made[0] if made else 0,
    )


def lies(findings: list[dict[str, Any]], truth: Truth, file: str, tolerance: float) -> list[str]:
    """What the findings say that is not so, or do not say."""
    leaks = [finding for finding in findings if finding["verdict"] == "leak"]
    if truth.verdict == "no leak":
        return [f"a leak is called: {described(leak)}" for leak in leaks]
    wrong = [
        f"a leak is called elsewhere: {described(leak)}"
        for leak in leaks
        if truth.verdict != "leak" or leak["scope"] != truth.scope
    ]
    about = [
        finding
        for finding in findings
        if finding["verdict"] == truth.verdict and finding["scope"] == truth.scope
    ]
    if not about:
        return [*wrong, f"no {truth.verdict} of {truth.scope or 'the process'}"]
    return wrong + lies_about(about[0], truth, file) + lies_about_size(about, truth, tolerance)


def lies_about_size(about: list[dict[str, Any]], truth: Truth, tolerance: float) -> list[str]:
    """What is not so of how much a run leaves: in all, for it may be held at more than one place."""
    sizes = [finding["per_run_bytes"] or {"low": 0, "high": 0} for finding in about]
    low, high = (sum(size[bound] for size in sizes) for bound in ("low", "high"))
    if not truth.per_run_bytes or low * (1 - tolerance) <= truth.per_run_bytes <= high * (1 + tolerance):
        return []
    return [f"{low} to {high} a run, not {truth.per_run_bytes}"]


def lies_about(finding: dict[str, Any], truth: Truth, file: str) -> list[str]:
    """What the one finding says that is not so."""
    wrong = []
    site = finding["site"] or {"file": "", "line": 0}
    if truth.made and (Path(site["file"]).name, site["line"]) != (file, truth.made):
        wrong.append(f"made at {Path(site['file']).name}:{site['line']}, not {file}:{truth.made}")
    if truth.rule and finding["rule"] != truth.rule:
        wrong.append(f"rule {finding['rule'] or 'none'}, not {truth.rule}")
    if (word := first_missing(truth.words, finding["holder"])) is not None:
        wrong.append(f"no {word}, or not in this order, in {finding['holder']!r}")
    return wrong


def described(finding: dict[str, Any]) -> str:
    site = finding["site"] or {"file": "?", "line": 0}
    return (
        f"{finding['verdict']} of {finding['scope']!r}, {finding['per_run_bytes']} a run, "
        f"{Path(site['file']).name}:{site['line']}, {finding['holder']!r}, {finding['reasons']}"
    )


def diagnosed(program: Path, runs: int, mode: str, folder: Path) -> list[dict[str, Any]]:
    """Run a program to its end under outlive, and return what that finds."""
    profile = folder / "profile.json"
    ended = subprocess.run(
        [*COMMANDS[mode], "run", "--sample", "--json", profile, program],
        env={**os.environ, "PLANTED_RUNS": str(runs)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert ended.returncode == 0, (ended.returncode, ended.stderr[-4000:])
    assert profile.exists(), ended.stderr[-4000:]
    found: list[dict[str, Any]] = json.loads(profile.read_bytes())["findings"]
    return found


def undecided(findings: list[dict[str, Any]]) -> bool:
    return any(finding["verdict"] == "not enough data" and finding["scope"] for finding in findings)


def cases() -> list[Any]:
    return [
        pytest.param(program, mode, id=f"{program.parent.name}-{program.stem}-{mode}")
        for mode in RUNS
        for program in (*LEAKS, *INNOCENT)
        if LONG or program.stem in BRIEF[mode]
    ]


@pytest.mark.parametrize(("program", "mode"), cases())
def test_what_is_planted_is_found(program: Path, mode: str, tmp_path: Path) -> None:
    truth = truth_of(program.read_text(encoding="utf-8"))
    findings = diagnosed(program, RUNS[mode], mode, tmp_path)
    if mode == "sampled" and truth.verdict != "no leak" and undecided(findings):
        # By chance, once or twice in a hundred; and what it asks for then is to be enough.
        findings = diagnosed(program, 2 * RUNS[mode], mode, tmp_path)
    wrong = lies(findings, truth, program.name, TOLERANCE[mode])
    assert not wrong, "\n".join([*wrong, "of:", *map(described, findings)])


@pytest.mark.skipif(not LONG, reason="takes minutes")
@pytest.mark.parametrize("program", LEAKS, ids=lambda path: path.stem)
def test_what_a_program_is_said_to_leave_is_what_tracemalloc_sees(program: Path) -> None:
    truth = truth_of(program.read_text(encoding="utf-8"))
    if not truth.per_run_bytes:
        pytest.skip("it does not say")
    seen = subprocess.run(
        [sys.executable, "-c", WITNESS, program, truth.verdict],
        env={**os.environ, "PLANTED_RUNS": str(EXACT_RUNS), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_SECONDS,
    )
    median, mean = map(float, seen.stdout.split()[-2:])
    assert min(abs(truth.per_run_bytes / one - 1) for one in (median, mean)) < WITNESS_TOLERANCE, seen.stdout


def test_there_are_as_many_programs_as_patterns() -> None:
    assert len(LEAKS) >= 40
    assert len(INNOCENT) >= 40
    rules = {truth_of(program.read_text(encoding="utf-8")).rule for program in LEAKS}
    assert len(rules - {""}) >= 18
    assert BRIEF["sampled"] | BRIEF["exact"] <= {program.stem for program in (*LEAKS, *INNOCENT)}


@pytest.mark.parametrize("program", LEAKS, ids=lambda path: path.stem)
def test_a_leaking_program_says_all_that_is_to_be_found(program: Path) -> None:
    truth = truth_of(program.read_text(encoding="utf-8"))
    if truth.verdict == "leak":
        assert truth.scope
        assert truth.words
        assert truth.per_run_bytes >= 10_240
        assert truth.made
        assert re.fullmatch(r"L\d\d", truth.rule)


TRUTH = Truth("leak", "export", "L04", ("module __main__", "CACHE"), 20_000, 7)
FOUND = {
    "verdict": "leak",
    "scope": "export",
    "rule": "L04",
    "holder": "module __main__ → CACHE[0, …] → bytearray",
    "per_run_bytes": {"estimate": 21_000, "low": 18_000, "high": 24_000},
    "site": {"file": "/app/cache.py", "line": 7},
    "reasons": [],
}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"verdict": "steady"}, "no leak of export"),
        ({"scope": "import"}, "elsewhere"),
        ({"rule": ""}, "rule none"),
        ({"holder": "CACHE of module __main__"}, "no CACHE"),
        ({"site": {"file": "/app/cache.py", "line": 8}}, "cache.py:8"),
        ({"site": None}, "made at :0"),
        ({"per_run_bytes": {"estimate": 9_000, "low": 8_000, "high": 10_000}}, "not 20000"),
    ],
)
def test_a_finding_that_is_wrong_is_seen(change: dict[str, Any], word: str) -> None:
    assert not lies([FOUND], TRUTH, "cache.py", 0.1)
    assert word in "\n".join(lies([{**FOUND, **change}], TRUTH, "cache.py", 0.1))


def test_a_leak_of_an_innocent_is_seen() -> None:
    assert lies([FOUND], Truth("no leak"), "cache.py", 0.1)
    assert not lies([{**FOUND, "verdict": "bounded growth"}], Truth("no leak"), "cache.py", 0.1)
