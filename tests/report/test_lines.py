"""The table as people see it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from outlive.model.lines import FunctionFigures, LineFigures, RunProfile, merged
from outlive.report.lines import line_tables
from outlive.report.run_json import run_json

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20

SOURCE = """\
# jobs
def export():
    rows = load()
    if not rows:
        return None
    return rows.pop()
"""

GOLDEN = """\
Filename: {file}
Function: Jobs.export (2 calls)

Line #    Mem usage    Increment         Peak  Occurrences   Line Contents
==========================================================================
     2      1.0 MiB      0.0 MiB      1.0 MiB            2   def export():
     3    251.0 MiB    250.0 MiB    300.5 MiB            2       rows = load()
     4                                                           if not rows:
     5                                                               return None
     6     51.0 MiB   -200.0 MiB    251.0 MiB            2       return rows.pop()

Mem usage: most the process had in use as the line ended; Peak: while it ran;
Increment: net change by the line, summed over its occurrences. All count Python's memory
from where counting began. What other threads allocate meanwhile shows in Mem usage only.
Note: something is left out
"""


def function(file: str, *, stale: bool = False) -> FunctionFigures:
    return FunctionFigures(
        function="Jobs.export",
        file=file,
        first_line=2,
        last_line=6,
        calls=2,
        lines=(
            LineFigures(2, 2, 0, MIB, MIB),
            LineFigures(3, 2, 250 * MIB, 251 * MIB, 601 * MIB // 2),
            LineFigures(6, 2, -200 * MIB, 51 * MIB, 251 * MIB),
        ),
        stale=stale,
    )


def source_file(folder: Path) -> str:
    file = folder / "jobs.py"
    file.write_text(SOURCE, encoding="utf-8")
    return str(file)


def test_the_table(tmp_path: Path) -> None:
    file = source_file(tmp_path)
    assert line_tables((function(file),), ("something is left out",)) == GOLDEN.format(file=file)


def test_without_source_the_numbers_stay_and_it_says_so(tmp_path: Path) -> None:
    missing = line_tables((function("<string>"),), ())
    stale = line_tables((function(source_file(tmp_path), stale=True),), ())
    assert "(no source: line contents can't be shown)" in missing
    assert "(the file changed on disk since it was loaded: line contents are not shown)" in stale
    for table in (missing, stale):
        assert "251.0 MiB    250.0 MiB    300.5 MiB            2\n" in table
        assert "rows" not in table.replace("jobs.py", "")


def test_import_time_code_shows_only_if_it_kept_memory(tmp_path: Path) -> None:
    loud = replace(function(source_file(tmp_path)), function="<module>", is_body=True)
    quiet = replace(loud, function="Rows", lines=(LineFigures(2, 1, 100, MIB, MIB),))
    tables = line_tables((loud, quiet), ())
    assert "Function: <module>" in tables
    assert "Function: Rows" not in tables
    assert "Note: 1 module or class body that kept no memory left out (--json has all)\n" in tables


def test_nothing_profiled_says_nothing() -> None:
    assert line_tables((), ()) == ""


def test_json_has_the_documented_shape(tmp_path: Path) -> None:
    run = RunProfile(3, 5, 7, 1.5, (function(source_file(tmp_path)),), ("a note",))
    document = json.loads(run_json(run))
    assert document["schema"] == 1
    assert (document["exit_code"], document["peak_python_bytes"], document["peak_rss_bytes"]) == (3, 5, 7)
    assert document["seconds"] == 1.5
    assert document["notes"] == ["a note"]
    (only,) = document["functions"]
    assert {key: only[key] for key in ("function", "calls")} == {"function": "Jobs.export", "calls": 2}
    assert only["lines"][1] == {
        "line": 3,
        "occurrences": 2,
        "mem_bytes": 251 * MIB,
        "increment_bytes": 250 * MIB,
        "peak_bytes": 601 * MIB // 2,
        "source": "rows = load()",
    }


def test_code_loaded_twice_is_one_function() -> None:
    twice = merged(function("jobs.py"), function("jobs.py"))
    assert twice.calls == 4
    assert twice.lines[1] == LineFigures(3, 4, 500 * MIB, 251 * MIB, 601 * MIB // 2)
