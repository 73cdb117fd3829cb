"""`outlive docs`, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from outlive.rules import BY_NUMBER


def docs(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "outlive", "docs", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("number", ["L02", "l02"])
def test_a_rule_has_its_sign_cure_and_code(number: str) -> None:
    done = docs(number)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("L02  Session, connection, cursor or file never closed\n")
    for part in ("Sign", "Cure", "Before", "After", "    with Session(engine) as session:"):
        assert part in done.stdout


def test_without_a_rule_all_are_listed() -> None:
    assert [line[:3] for line in docs().stdout.splitlines()] == [*BY_NUMBER]


def test_json() -> None:
    (rule,) = json.loads(docs("B01", "--json").stdout)["rules"]
    assert sorted(rule) == ["after", "before", "bounded", "cure", "rule", "sign", "title", "verdict"]
    assert (rule["rule"], rule["bounded"], rule["verdict"]) == ("B01", True, "bounded growth")
    assert len(json.loads(docs("--json").stdout)["rules"]) == len(BY_NUMBER)


def test_no_such_rule() -> None:
    done = docs("L99")
    assert done.returncode == 2
    assert done.stderr.startswith("outlive: there is no rule 'L99': there are L01, ")
    assert done.stderr.count("\n") == 1
