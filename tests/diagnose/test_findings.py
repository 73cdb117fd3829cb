"""Verdicts on real programs, every block known: what makes one finding, who holds it, what is no leak."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., list[dict[str, Any]]]

PRELUDE = """
import gc, outlive

class Export:
    def __init__(self):
        self.rows = None

FIRST, SECOND = {}, []
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that runs a program under `outlive run --sample` and gives its findings."""

    def call(work: str, *options: str, runs: int = 60) -> list[dict[str, Any]]:
        body = textwrap.indent(textwrap.dedent(work).strip(), " " * 8)
        script = tmp_path / "program.py"
        script.write_text(f"{PRELUDE}\nfor i in range({runs}):\n    with outlive.scope('work'):\n{body}\n")
        file = tmp_path / "found.json"
        words = ("--sample", "--interval", "1", "--json", str(file), *options, str(script))
        subprocess.run(
            [sys.executable, "-m", "outlive", "run", *words],
            env={"PATH": "/usr/bin:/bin", "OUTLIVE_RECORDING": str(tmp_path)},
            check=True,
            capture_output=True,
            timeout=120,
        )
        return list(json.loads(file.read_text())["findings"])

    return call


def of_scope(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [finding for finding in findings if finding["scope"] == "work"]


def line_of(finding: dict[str, Any]) -> str:
    return str(finding["site"]["source"])


def test_lines_that_one_container_keeps_are_one_finding(run: Run) -> None:
    (found,) = of_scope(
        run("""
            one = Export()
            one.rows = [bytes(1000) for _ in range(20)]
            FIRST[f'id{i}'] = one
        """)
    )
    assert found["verdict"] == "leak"
    assert found["confidence"] == "certain"
    assert line_of(found).startswith("one.rows =")
    assert found["type"] == "bytes"
    assert found["objects_per_run"] == pytest.approx(20, rel=0.05)
    # 20 of 1033 bytes, a list, an Export with its attributes, and an entry of the dict with its key
    assert 20_660 <= found["per_run_bytes"]["low"] <= found["per_run_bytes"]["high"] <= 22_000
    assert found["holder"].startswith("module __main__ → FIRST[")
    assert found["rule"] == "L04"
    assert found["runs"] == 60


def test_a_librarys_books_are_no_holder_where_the_program_holds_what_they_are_about(
    run: Run, tmp_path: Path
) -> None:
    library = tmp_path / "lib" / "python3" / "site-packages" / "engines.py"
    library.parent.mkdir(parents=True)
    library.write_text(
        textwrap.dedent("""
        import weakref
        BOOKS = {}
        class Engine:
            def __init__(self):
                self.rows = [bytes(1000) for _ in range(5)]
                BOOKS[id(self)] = {number: bytearray(0) for number in range(100)}
                weakref.finalize(self, BOOKS.pop, id(self))
        """)
    )
    (found,) = of_scope(
        run(f"""
            import sys
            if not i:
                sys.path.insert(0, {str(library.parent)!r})
            import engines
            SECOND.append(engines.Engine())
        """)
    )
    assert found["verdict"] == "leak"
    assert line_of(found) == "SECOND.append(engines.Engine())"
    assert found["holder"].startswith("module __main__ → SECOND → list[60] → Engine.rows")


def test_a_limited_cache_beside_it_excuses_no_leak(run: Run) -> None:
    (found,) = of_scope(
        run("""
            if not i:
                import functools
                @functools.lru_cache(maxsize=20)
                def load(number):
                    return bytes(bytearray(1500))
            one = Export()
            one.rows = bytes(bytearray(3000))
            one.data = load(i)
            FIRST[i] = one
        """)
    )
    assert (found["verdict"], found["rule"]) == ("leak", "L04")
    assert line_of(found) == "one.rows = bytes(bytearray(3000))"
    assert found["holder"].startswith("module __main__ → FIRST[")


def test_what_holds_most_is_named_though_another_way_is_shorter(run: Run) -> None:
    (found,) = of_scope(
        run("""
            if not i:
                def keep():
                    rows = [bytes(1000) for _ in range(20)]
                    SECOND.append(rows) if i == 30 else None
                    yield rows
                KEPT = {}
            KEPT[i] = keep()
            next(KEPT[i])
        """)
    )
    assert found["verdict"] == "leak"
    assert found["holder"].startswith("module __main__ → KEPT[")


def test_two_containers_are_two_findings(run: Run) -> None:
    found = of_scope(
        run("""
            FIRST[i] = bytes(2000)
            SECOND.append(bytes(5000))
        """)
    )
    assert [(each["verdict"], line_of(each)) for each in found] == [
        ("leak", "SECOND.append(bytes(5000))"),
        ("leak", "FIRST[i] = bytes(2000)"),
    ]
    assert "SECOND" in found[0]["holder"]
    assert "FIRST" in found[1]["holder"]
    assert found[0]["per_run_bytes"]["estimate"] == pytest.approx(5033, rel=0.05)


def test_garbage_is_no_leak(run: Run) -> None:
    (found,) = of_scope(
        run("""
            gc.disable()
            one = Export()
            one.rows = (one, bytes(3000))
        """)
    )
    assert (found["verdict"], found["rule"]) == ("cycle garbage", "L06")


@pytest.mark.parametrize(
    "work",
    [
        "FIRST[i % 5] = bytes(20_000)",
        "FIRST.setdefault('once', bytes(3_000_000))",
        "SECOND.append(bytes(20_000)) if i < 6 else None",
        "SECOND[:] = [bytes(1000) for _ in range(100)]",
    ],
    ids=["evicting", "once", "warm-up", "replaced"],
)
def test_what_does_not_grow_is_no_leak(run: Run, work: str) -> None:
    verdicts = {finding["verdict"] for finding in of_scope(run(work))}
    assert verdicts <= {"bounded growth", "steady"}


def test_too_few_runs_say_how_many_more(run: Run) -> None:
    (found,) = of_scope(run("FIRST[i] = bytes(20_000)", runs=5))
    assert (found["verdict"], found["confidence"]) == ("not enough data", "unknown")
    assert "more runs" in found["reasons"][-1]


def test_without_a_scope_it_is_said_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    script = tmp_path / "nothing.py"
    script.write_text("pass\n")
    subprocess.run(
        [sys.executable, "-m", "outlive", "run", "--sample", "--json", str(file), str(script)],
        check=True,
        capture_output=True,
    )
    (found,) = [each for each in json.loads(file.read_text())["findings"] if "scope" in each["cure"]]
    assert found["verdict"] == "not enough data"
    assert "outlive.scope" in found["cure"]


def test_a_recording_alone_can_not_tell_who_holds_it(run: Run, tmp_path: Path) -> None:
    run("FIRST[i] = bytes(20_000)")
    (recording,) = tmp_path.glob("*.outlive")
    said = subprocess.run(
        [sys.executable, "-m", "outlive", "diagnose", str(recording), "--json", "--fail-on", "leak"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1, said.stderr
    (found,) = of_scope(json.loads(said.stdout)["findings"])
    assert (found["verdict"], found["confidence"], found["holder"]) == ("leak", "likely", "")
    assert any("no heap snapshot" in reason for reason in found["reasons"])
