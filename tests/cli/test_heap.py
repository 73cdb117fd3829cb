"""The commands that read heap snapshots, on one of which all is known."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.recorded import names, on_a_terminal, outlive, recorded
from tests.heap.synthetic import Heap

if TYPE_CHECKING:
    from pathlib import Path

HELD = "module app.cache → CACHE['u42'] → Export.rows → list[{}] → UserActivity"
REPORTS = (
    ("census",),
    ("why", "UserActivity"),
    ("retained", "UserActivity"),
    ("dominators",),
    ("suspects",),
    ("duplicates",),
)


def heap(file: Path, *, rows: int = 3) -> Path:
    """A cache that holds an export with rows of 72 bytes, and three equal strings of 1,000."""
    made = Heap()
    held = made.sequence(made.add("app.UserActivity", size=72) for _ in range(rows))
    equal = made.sequence(made.add("str", size=1000, content=7, text=f"x{number}") for number in range(3))
    cache = made.mapping({"u42": made.add("app.Export", named={"rows": held})})
    made.module("app.cache", CACHE=cache, NAMES=equal)
    return made.write(file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return heap(tmp_path / "now.heap")


def document(*words: object) -> dict[str, Any]:
    done = outlive(*words, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["schema"] == 1
    assert all(each["pid"] == 4321 for each in found.get("snapshots", [found.get("snapshot")]))
    return found


def on(file: Path, command: tuple[str, ...]) -> tuple[object, ...]:
    return (*command, file)


@pytest.mark.parametrize("command", REPORTS, ids=lambda command: command[0])
def test_text_says_whose_heap_it_is_and_has_no_colour(file: Path, command: tuple[str, ...]) -> None:
    done = outlive(*on(file, command))
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\033" not in done.stdout
    if command[0] != "retained":
        assert "pid 4321, Python 3.12.1" in done.stdout.decode().splitlines()[0]


def test_census(file: Path) -> None:
    types = {each["type"]: each for each in document("census", file)["types"]}
    assert types["app.UserActivity"] == {
        "type": "app.UserActivity",
        "count": 3,
        "shallow_bytes": 216,
        "retained_bytes": 216,
    }
    assert types["app.Export"]["retained_bytes"] == 48 + 56 + 3 * 8 + 216
    modules = {each["type"]: each["count"] for each in document("census", file, "--group", "module")["types"]}
    assert modules["app"] == 4
    limited = document("census", file, "--limit", 1)
    assert len(limited["types"]) == 1
    assert limited["types_left_out"] == len(types) - 1


def test_why(file: Path) -> None:
    (holder,) = document("why", "UserActivity", file)["holders"]
    assert (holder["count"], holder["retained_bytes"]) == (3, 216)
    assert holder["root"] == {"kind": "module", "name": "app.cache"}
    assert holder["text"] == HELD.format(3)
    assert holder["path"][0] == "module app.cache"
    (line,) = [
        line for line in outlive("why", "UserActivity", file).stdout.decode().splitlines() if "→" in line
    ]
    assert line.strip() == HELD.format(3)


@pytest.mark.parametrize("target", ["0", "#0", "0x7f0000000000"])
def test_one_object(file: Path, target: str) -> None:
    assert document("retained", target, file)["retained_bytes"] == 72
    (holder,) = document("why", target, file)["holders"]
    assert holder["count"] == 1


@pytest.mark.parametrize("target", ["UserActivty", "0x10", "#4711"])
def test_what_is_not_there(file: Path, target: str) -> None:
    done = outlive("why", target, file)
    assert done.returncode in (2, 3)
    assert done.stdout == b""
    assert done.stderr.startswith(b"outlive: ")
    assert done.stderr.count(b"\n") == 1


def test_an_unknown_type_is_bad_usage_with_a_suggestion(file: Path) -> None:
    done = outlive("retained", "UserActivty", file)
    assert done.returncode == 2
    assert b"app.UserActivity" in done.stderr


def test_dominators(file: Path) -> None:
    def below(tree: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [each for branch in tree for each in (branch, *below(branch["dominates"]))]

    whole = below(document("dominators", file, "--depth", 20)["dominators"])
    export = next(each for each in whole if each["type"] == "app.Export")
    (rows,) = document("dominators", file, "--below", export["object"])["dominators"]
    assert (rows["type"], rows["retained_bytes"]) == ("list", 56 + 3 * 8 + 216)
    assert [each["type"] for each in rows["dominates"]] == ["app.UserActivity"] * 3
    (flat,) = document("dominators", file, "--depth", 1, "--limit", 1)["dominators"]
    assert flat["dominates"] == []


def test_a_page_of_the_dominators(file: Path, tmp_path: Path) -> None:
    page = tmp_path / "heap.html"
    done = outlive("dominators", file, "--html", page)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert "app.Export" in page.read_text()
    for words in (("--html", file), ("--html", page, "--below", "0"), ("--html", page, "--json")):
        assert outlive("dominators", file, *words).returncode == 2


def test_suspects(tmp_path: Path) -> None:
    suspects = document("suspects", heap(tmp_path / "a.heap", rows=1000))["suspects"]
    assert suspects[0]["accumulates_at"] == HELD.format(1000).removesuffix(" → UserActivity")
    assert suspects[0]["content"][0]["type"] == "app.UserActivity"
    assert 0.9 < suspects[0]["share"] <= 1


def test_duplicates(file: Path) -> None:
    (found,) = document("duplicates", file)["duplicates"]
    assert (found["type"], found["count"], found["wasted_bytes"]) == ("str", 3, 2000)
    assert "NAMES" in found["holders"][0]


def test_sql(file: Path) -> None:
    found = document(
        "sql", file, "select type, count(*) as n from objects where size = 72 group by all order by 1"
    )
    assert found["columns"] == ["type", "n"]
    assert ["app.UserActivity", 3] in found["rows"]
    done = outlive("sql", file, "select 42 as answer")
    assert done.stdout.decode().splitlines()[:2] == ["answer", "    42"]


@pytest.mark.parametrize(
    "query", ["drop table objects", "copy objects to 'x.csv'", "select * from 'now.heap'", "selec 1", ""]
)
def test_sql_that_is_no_question(file: Path, query: str) -> None:
    before = file.read_bytes()
    done = outlive("sql", file, query)
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert names(file.parent) == ["now.heap"]
    assert file.read_bytes() == before


def test_growth_between_files(tmp_path: Path) -> None:
    files = [heap(tmp_path / f"{rows}.heap", rows=rows) for rows in (3, 5, 9)]
    for command in ("growth", "diff"):
        found = document(command, *files)
        grew = next(each for each in found["types"] if each["type"] == "app.UserActivity")
        assert (grew["count"], grew["shallow_bytes"], grew["always_grew"]) == (6, 6 * 72, True)
        assert grew["each"]["count"] == [3, 5, 9]
        assert len(found["snapshots"]) == 3
    text = outlive("diff", *files).stdout.decode()
    assert "3 → 5 → 9" in text
    assert text.count("pid 4321") == 3


def test_diff_the_wrong_way_round_is_said_and_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(when: float, kept: int, dropped: int) -> Path:
        monkeypatch.setattr("tests.heap.synthetic.TAKEN", when)
        made = Heap()
        for kind, count in (("app.Kept", kept), ("app.Dropped", dropped)):
            held = made.sequence(made.add(kind, size=72) for _ in range(count))
            made.module(kind, THINGS=held)
        return made.write(tmp_path / f"{when}.heap")

    def first(*files: Path) -> str:
        lines = outlive("diff", *files, "--limit", 1).stdout.decode().splitlines()
        return next(lines[at + 1] for at, line in enumerate(lines) if "Count in each" in line)

    early, late = taken(100.0, 3, 500), taken(200.0, 3000, 4)
    note = "Note  the first is the later one; swap them to see growth\n"
    assert note in outlive("diff", late, early).stdout.decode()
    assert note not in outlive("diff", early, late).stdout.decode()
    assert [document("diff", *files)["reversed"] for files in ((late, early), (early, late))] == [True, False]
    # What they are held by grows and shrinks with them.
    assert first(early, late).split()[0] == "+2,997"
    assert first(late, early).split()[0] == "-2,997"


def test_diff_of_unlike_files_is_bad_usage(tmp_path: Path, file: Path) -> None:
    recording = recorded(tmp_path)
    for words in ((file, recording), (recording, file), (file,), (recording, recording, recording)):
        done = outlive("diff", *words)
        assert done.returncode == 2, words
        assert done.stderr.count(b"\n") == 1
    assert outlive("diff", file, file, "--group", "line").returncode == 2
    assert outlive("growth", file).returncode == 2


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_backrefs(file: Path, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"who.{ending}"
    done = outlive("backrefs", "UserActivity", file, "-o", out)
    assert (done.returncode, done.stdout) == (0, b"")
    content = out.read_bytes()
    if ending == "png":
        assert content.startswith(b"\x89PNG")
    else:
        assert b"<svg" in content
        assert b"UserActivity" in content


@pytest.mark.parametrize("kind", ["heapsnapshot", "dot", "json", "parquet"])
def test_convert(file: Path, tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    done = outlive("convert", file, "--to", kind, "-o", out)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    if kind == "parquet":
        assert "objects.parquet" in names(out)
    elif kind == "dot":
        assert out.read_text().startswith("digraph")
    else:
        assert json.loads(out.read_bytes())
    assert sorted(names(tmp_path)) == ["now.heap", "out"]


@pytest.mark.parametrize("command", ["why", "retained", "backrefs"])
def test_swapped_arguments(file: Path, command: str) -> None:
    for first, second in ((file, "Order"), (328, "Order"), ("gone.heap", "Order")):
        done = outlive(command, first, second)
        hint = f"other way round?: outlive {command} Order {first}"
        said = (2, f"outlive: there is no file Order; {hint}\n")
        assert (done.returncode, done.stderr.decode()) == said
    for first in (328, "Order"):
        assert b"other way" not in outlive(command, first, "gone.heap").stderr


def test_swapped_arguments_of_sql(file: Path) -> None:
    done = outlive("sql", "select 1", file)
    assert done.returncode == 2
    assert done.stderr.decode().endswith(f"; other way round?: outlive sql {file} 'select 1'\n")


def test_duplicates_without_contents(tmp_path: Path) -> None:
    made = Heap()
    made.module("app", NAME=made.add("str", text="x"))
    done = outlive("duplicates", made.write(tmp_path / "now.heap"))
    assert done.returncode == 3
    assert b"; take one with them: outlive snapshot PID --contents -o FILE\n" in done.stderr


def test_convert_takes_each_file_for_what_it_is(file: Path, tmp_path: Path) -> None:
    recording, out = recorded(tmp_path), tmp_path / "out"
    before = file.read_bytes()
    for words in (
        (recording, "--to", "parquet", "-o", out),
        (file, "--to", "pprof", "-o", out),
        (file, "--to", "json"),
        (file, "--to", "json", "-o", "-"),
        (file, "--to", "json", "-o", file),
    ):
        done = outlive("convert", *words)
        assert done.returncode == 2, words
        assert done.stderr.count(b"\n") == 1
    assert not out.exists()
    assert file.read_bytes() == before


def test_files_that_are_none(tmp_path: Path) -> None:
    cut, empty = tmp_path / "cut.heap", tmp_path / "empty.heap"
    cut.write_bytes(heap(tmp_path / "now.heap").read_bytes()[:5000])
    empty.write_bytes(b"")
    asked = [
        ("census", wrong) for wrong in (cut, empty, tmp_path / "none.heap", recorded(tmp_path), tmp_path)
    ]
    for words in (*asked, ("why", "dict", cut), ("sql", cut, "select 1"), ("backrefs", "dict", cut)):
        done = outlive(*words)
        assert (done.returncode, done.stdout) == (3, b""), words
        assert done.stderr.startswith(b"outlive: ")
        assert done.stderr.count(b"\n") == 1
    assert "backrefs.png" not in names(tmp_path)


def test_a_terminal_gets_colour_and_rows_that_fit(file: Path) -> None:
    code, shown = on_a_terminal("census", file, COLUMNS="40")
    assert code == 0
    assert "\033[1m" in shown


@pytest.mark.parametrize(
    "command",
    [
        "snapshot",
        "census",
        "growth",
        "why",
        "retained",
        "dominators",
        "suspects",
        "duplicates",
        "sql",
        "backrefs",
    ],
)
def test_help_has_examples(command: str) -> None:
    done = outlive(command, "--help")
    assert done.returncode == 0
    assert f"Examples:\n    outlive {command} ".encode() in done.stdout
