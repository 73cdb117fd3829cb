"""The buggy job holds everything and writes a corrupt file; the streaming job does neither."""

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from examples.leaky_export.check import Check, WrongRow, check
from examples.leaky_export.seed import TENANT_ID, USER_ID
from tests.examples.conftest import MOMENT, ROOT, SEEDED_ROWS

Example = Callable[..., subprocess.CompletedProcess[str]]
MakeDatabase = Callable[[Iterable[tuple[str, Any]]], Path]

NASTY: list[tuple[str, Any]] = [
    ("", {}),
    (",", []),
    ('"', '"'),
    ('""quoted""', "a\r\nb"),
    ("a\rb", None),
    ("\n", {"\n": "\t"}),
    ("\r\n", {'"': ","}),
    (" padded ", [" "]),
    ("=1+1", "@x"),
    ("Ünïcødé 世界 🎉\u2028\x85\ufeff", {"世": "界\u2028"}),
    ("nul\x00inside", "\x00"),
    ("x" * 100_000, ["y" * 20_000]),
    ("null", 1e300),
]

# Counts the rows alive when the buggy job comes to write its file.
COUNT_AT_OPEN = """
import asyncio, sys
from pathlib import Path
from sqlalchemy.ext.asyncio import AsyncSession
from examples.leaky_export import buggy
from examples.leaky_export.aftermath import survivors
from examples.leaky_export.models import open_engine

def counting_open(*arguments, **options):
    sys.stderr.write(f"{survivors()} ")
    return open(*arguments, **options)

buggy.open = counting_open

async def main():
    engine = open_engine(Path(sys.argv[1]))
    async with AsyncSession(engine) as session:
        await buggy.export_user_data(session, "u42", "acme", Path(sys.argv[2]))
        sys.stderr.write(str(survivors()))
    await engine.dispose()

asyncio.run(main())
"""


def test_the_buggy_job_holds_every_row_until_it_returns(seeded: Path, tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", COUNT_AT_OPEN, seeded, tmp_path / "export.csv"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert child.stderr == f"{SEEDED_ROWS} 0"


def test_the_buggy_file_is_wrong_in_the_cells_that_the_bug_breaks(
    make_database: MakeDatabase, example: Example, tmp_path: Path
) -> None:
    moment = MOMENT.isoformat()
    database = make_database(
        [
            ("plain", {}),  # moment | plain | {}             all right
            ("a,b", {}),  # moment | a | b | {}               2 wrong, 1 too many
            ("plain", {"x": 1, "y": 2}),  # ... | {"x": 1 | "y": 2}   1 wrong, 1 too many
            ("p\nq", {}),  # moment | p                       2 wrong; and a row q | {}: 2 too many
        ]
    )
    exported = tmp_path / "export.csv"
    assert example("buggy", database, exported).returncode == 0
    assert check(database, USER_ID, TENANT_ID, exported) == Check(
        rows_expected=4,
        rows_found=5,
        rows_wrong=3,
        cells_checked=4 * 3,
        cells_wrong=2 + 1 + 2,
        cells_extra=1 + 1 + 2,
        first_wrong=WrongRow(3, [moment, "a,b", "{}"], [moment, "a", "b", "{}"]),
        header_wrong=False,
    )


def test_the_streaming_file_says_what_the_database_says(
    make_database: MakeDatabase, example: Example, tmp_path: Path
) -> None:
    exported = tmp_path / "export.csv"
    database = make_database(NASTY)
    assert example("streaming", database, exported).returncode == 0
    assert check(database, USER_ID, TENANT_ID, exported) == Check(
        13, 13, 0, 39, 0, 0, None, header_wrong=False
    )
    with exported.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert [(action, json.loads(details)) for _, action, details in rows[1:]] == NASTY


@pytest.mark.parametrize(("job", "exit_code"), [("streaming", 0), ("buggy", 1)])
def test_seeded_rows(seeded: Path, example: Example, tmp_path: Path, job: str, exit_code: int) -> None:
    exported = tmp_path / "export.csv"
    assert example(job, seeded, exported).returncode == 0
    assert example("check", seeded, exported, "--json", tmp_path / "check.json").returncode == exit_code
    outcome = json.loads((tmp_path / "check.json").read_text())
    assert outcome["rows_expected"] == SEEDED_ROWS
    # Of the buggy job's file, the header alone is right.
    assert outcome["rows_wrong"] == (SEEDED_ROWS if job == "buggy" else 0)
    assert not outcome["header_wrong"]


def test_streaming_memory_does_not_grow_with_the_rows(example: Example, tmp_path: Path) -> None:
    database = tmp_path / "activity.db"
    assert example("seed", database, "--rows", 8_000).returncode == 0
    above_base = {}
    for job in ("streaming", "buggy"):
        report = tmp_path / f"{job}.json"
        assert example(job, database, tmp_path / f"{job}.csv", "--aftermath", report).returncode == 0
        left = json.loads(report.read_text())
        assert left["rows_alive"] == 0
        above_base[job] = left["peak_rss_bytes"] - left["base_rss_bytes"]
    assert above_base["streaming"] <= 20e6
    assert above_base["buggy"] > 4 * (tmp_path / "buggy.csv").stat().st_size


@pytest.mark.parametrize("job", ["buggy", "streaming"])
def test_a_missing_database_is_one_clear_line(example: Example, tmp_path: Path, job: str) -> None:
    child = example(job, tmp_path / "none.db", tmp_path / "export.csv")
    assert child.returncode == 2
    assert "python -m examples.leaky_export seed" in child.stderr
    assert child.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
