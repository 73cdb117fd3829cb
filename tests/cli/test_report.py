"""`outlive report`: what it prints, where it writes, what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.recorded import MIB, names, on_a_terminal, outlive, recorded


def test_in_a_pipe_it_is_a_table_without_colour(tmp_path: Path) -> None:
    done = outlive("report", recorded(tmp_path))
    assert (done.returncode, done.stderr) == (0, b"")
    out = done.stdout.decode()
    assert "\033" not in out
    rows = [row.split() for row in out.splitlines() if "/srv/" in row]
    assert [(row[0], *row[-2:]) for row in rows] == [
        ("12.0", "/srv/cache.py:5", "remember"),
        ("1.0", "/srv/rows.py:2", "load"),
    ]


def test_on_a_terminal_it_has_colour_unless_that_is_not_wanted(tmp_path: Path) -> None:
    code, shown = on_a_terminal("report", recorded(tmp_path))
    assert code == 0
    assert "\033[1m" in shown
    _, shown = on_a_terminal("report", recorded(tmp_path), NO_COLOR="1")
    assert "\033" not in shown


def test_the_tree(tmp_path: Path) -> None:
    out = outlive("report", recorded(tmp_path), "--tree").stdout.decode()
    assert out.index("serve") < out.index("├ /srv/cache.py:5 remember") < out.index("└ /srv/rows.py:2 load")


def test_json_has_all_sites_by_stack(tmp_path: Path) -> None:
    document = json.loads(outlive("report", recorded(tmp_path), "--json").stdout)
    assert (document["schema"], document["pid"]) == (1, 4321)
    assert document["in_use_bytes"]["estimate"] == 13 * MIB
    first, second = document["sites"]
    assert first["in_use_bytes"]["estimate"] == 12 * MIB
    assert [frame["function"] for frame in first["stack"]] == ["remember", "serve"]
    assert second["stack"][0]["line"] == 2
    limited = json.loads(
        outlive("report", recorded(tmp_path), "--json", "--limit", 1, "--group", "file").stdout
    )
    assert len(limited["sites"]) == 1


def test_the_page_is_written_whole_and_is_said_to_be(tmp_path: Path) -> None:
    page = tmp_path / "worker.html"
    page.write_text("old")
    done = outlive("report", recorded(tmp_path), "--html", page)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.decode() == f"outlive: wrote {page}\n"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert names(tmp_path) == ["worker.html", "worker.outlive"]


def test_the_recording_is_not_overwritten(tmp_path: Path) -> None:
    file = recorded(tmp_path)
    before = file.read_bytes()
    link = tmp_path / "link.html"
    link.symlink_to(file)
    for page in (file, link):
        done = outlive("report", file, "--html", page)
        assert done.returncode == 2
        assert b"it is the recording itself" in done.stderr
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["missing.outlive"], 3, b"there is no file missing.outlive"),
        (["999999999"], 3, b"there is no process 999999999"),
        (["FILE", "--tree", "--json"], 2, b"--tree goes with --limit only"),
        (["FILE", "--html", "p.html", "--limit", "3"], 2, b"--html shows everything"),
        (["FILE", "--limit", "0"], 2, b"--limit"),
        (["FILE", "--html", "/nonexistent/p.html"], 2, b"can't write /nonexistent/p.html"),
        ([], 2, b"FILE|PID"),
    ],
)
def test_what_can_t_be_done_is_one_clear_line(
    tmp_path: Path, words: list[str], code: int, said: bytes
) -> None:
    file = recorded(tmp_path)
    done = outlive("report", *(str(file) if word == "FILE" else word for word in words))
    assert done.returncode == code
    assert done.stderr.startswith(b"outlive: ")
    assert said in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert done.stdout == b""


def test_what_is_no_recording_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "x.outlive"
    file.write_bytes(recorded(tmp_path).read_bytes()[:70_000])
    done = outlive("report", file)
    assert done.returncode == 3
    assert b"is cut short" in done.stderr


def test_a_full_stdout_is_an_error_and_a_closed_one_is_not(tmp_path: Path) -> None:
    file = recorded(tmp_path)
    with Path("/dev/full").open("wb") as full:
        done = outlive("report", file, stdout=full.fileno())
    assert done.returncode == 3
    assert b"can't write to stdout: No space left on device" in done.stderr
    read, write = os.pipe()
    os.close(read)
    done = outlive("report", file, stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")


def test_help_has_examples() -> None:
    for command in ("report", "diff", "convert"):
        done = outlive(command, "--help")
        assert done.returncode == 0
        assert f"outlive {command} " in done.stdout.decode().partition("Examples:")[2]


def test_a_file_named_like_a_process(tmp_path: Path) -> None:
    recorded(tmp_path, "4711")
    done = subprocess.run(
        ["env", "-C", tmp_path, sys.executable, "-m", "outlive", "report", "4711"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert b"remember" in done.stdout
