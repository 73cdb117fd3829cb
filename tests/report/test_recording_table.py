"""The report of a recording, as people see it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from outlive.report.recording_table import recording_table
from outlive.report.recording_tree import recording_tree
from outlive.report.style import Style
from tests.recording.synthetic import BEGAN, point, recording, sample, stack

if TYPE_CHECKING:
    from pathlib import Path

    from outlive.model.recording import Recording

MIB = 1 << 20
PLAIN = Style()


@pytest.fixture(autouse=True)
def _greenwich(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def known(folder: str = "/srv") -> Recording:
    """Blocks so much larger than the interval that their sizes are the truth: 6, 4 and 1 MiB."""
    stacks = {
        1: stack(f"remember {folder}/cache.py:2", "serve /srv/app.py:9", allocated=60.0 * MIB),
        2: stack("load /srv/rows.py:2", "serve /srv/app.py:9", allocated=4.0 * MIB),
        3: stack(f"remember {folder}/cache.py:2", "main /srv/app.py:70", allocated=MIB, cut=True),
        4: stack("freed /srv/rows.py:8", allocated=9.0 * MIB),
    }
    samples = [sample(1, 6 * MIB), sample(2, 4 * MIB), sample(3, MIB)]
    timeline = [
        point(0.0, rss=10 * MIB),
        point(60.0, rss=20 * MIB, rss_peak=45 * MIB),
        point(120.0, rss=30 * MIB),
    ]
    return recording(
        stacks,
        samples,
        timeline,
        notes={"program": "serve.py", "python": "3.12.1"},
        process={"state": "exited", "status": 3, "ended": BEGAN + 7380.0},
        interval_bytes=1024,
        current_interval_bytes=1024,
        sampled=50,
    )


HEADER = """\
Program   serve.py, pid 4321, Python 3.12.1
State     exit (status 3); recorded for 2 h 3 min, since 2023-11-14 22:13:20
In use    11.0 MiB (11.0 MiB to 11.0 MiB), 3 of 50 samples alive
Interval  one sample in 1 KiB on average
RSS       ▁█▅  30.0 MiB at last, 45.0 MiB at most
"""
LEGEND = """
In use: allocated since recording began and alive; estimated from samples, and 19 times in 20 the truth
lies in the interval. Blocks: so many are alive. Allocated: since recording began, freed or not.
"""
LINES = """
     In use  95 % interval                 Blocks     Allocated  Line
    7.0 MiB  7.0 MiB to 7.0 MiB                 2      61.0 MiB  /srv/cache.py:2 remember
    4.0 MiB  4.0 MiB to 4.0 MiB                 1       4.0 MiB  /srv/rows.py:2 load
"""


def test_the_table() -> None:
    assert recording_table(known(), "line", 20, PLAIN) == HEADER + LINES + LEGEND


def test_what_the_limit_leaves_out_is_said() -> None:
    text = recording_table(known(), "line", 1, PLAIN)
    assert "    4.0 MiB  in 1 more (--limit shows more)\n" in text
    assert "load" not in text


def test_a_stack_is_shown_whole_and_where_it_was_cut() -> None:
    lines = recording_table(known(), "stack", 20, PLAIN).splitlines()
    found = [line[67:] if len(line) > 67 and line[60] == " " else line for line in lines[7:]]
    assert [line.split()[-2:] for line in found[:2]] == [
        ["/srv/cache.py:2", "remember"],
        ["/srv/app.py:9", "serve"],
    ]
    assert "main" in "\n".join(lines)
    assert lines[lines.index(next(line for line in lines if "main" in line)) + 1].strip() == (
        "(outer frames not kept)"
    )


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        ("function", ["/srv/cache.py remember", "/srv/rows.py load"]),
        ("file", ["/srv/cache.py", "/srv/rows.py"]),
    ],
)
def test_groups(by: str, rows: list[str]) -> None:
    lines = recording_table(known(), by, 20, PLAIN).splitlines()[7:9]  # type: ignore[arg-type]
    assert [line[65:] for line in lines] == rows


def test_source_is_shown_of_a_file_that_has_not_changed_since(tmp_path: Path) -> None:
    file = tmp_path / "cache.py"
    file.write_text("# cache\nCACHE[key] = value \x1b[31m\n")
    os.utime(file, (BEGAN - 10, BEGAN - 10))
    assert f"{'':67}CACHE[key] = value \ufffd[31m\n" in recording_table(
        known(str(tmp_path)), "line", 20, PLAIN
    )

    os.utime(file, (BEGAN + 10, BEGAN + 10))
    assert "CACHE" not in recording_table(known(str(tmp_path)), "line", 20, PLAIN)


def test_a_recording_can_t_have_other_files_shown(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("first\npassword\n")
    os.utime(secret, (BEGAN - 10, BEGAN - 10))
    pipe = tmp_path / "pipe.py"
    os.mkfifo(pipe)  # would block who opens it
    os.utime(pipe, (BEGAN - 10, BEGAN - 10))
    stacks = {1: stack(f"f {secret}:2"), 2: stack(f"f {pipe}:2"), 3: stack("f /srv/\0.py:2")}
    text = recording_table(recording(stacks, [sample(1), sample(2), sample(3)]), "line", 20, PLAIN)
    assert "password" not in text


def test_what_is_missing_is_said() -> None:
    made = recording(
        {1: stack("f /f.py:1")},
        [sample(1)],
        notes={"raised": "too many \x1b[2Jsamples"},
        current_interval_bytes=1 << 19,
        dropped=1200,
        torn=2,
        forgotten_bytes=3.0 * MIB,
    )
    text = recording_table(made, "line", 20, PLAIN)
    assert "raised from 128 KiB (too many \ufffd[2Jsamples)" in text
    assert "1,200 samples were lost to a full table: what is in use is more than shown" in text
    assert "2 entries were being written or are damaged, and left out" in text
    assert "3.0 MiB allocated, and freed since, are on no line" in text
    assert "RSS" not in text  # there is no timeline


def test_nothing_alive() -> None:
    assert "Nothing that was sampled is alive." in recording_table(recording(), "line", 20, PLAIN)
    assert "Nothing that was sampled is alive." in recording_tree(recording(), 20, PLAIN)


def test_no_line_is_wider_than_the_terminal_and_colour_is_asked_for() -> None:
    style = Style(is_coloured=True, width=70)
    for text in (recording_table(known(), "stack", 20, style), recording_tree(known(), 20, style)):
        assert "\033[" in text
        rows = [line for line in text.splitlines() if "srv" in line]
        assert rows
        assert max(len(line.replace("\033[2m", "").replace("\033[0m", "")) for line in rows) <= 70
    assert "\033" not in recording_table(known(), "stack", 20, PLAIN)


TREE = """
     In use  95 % interval             Share  Calls, outermost first
   11.0 MiB  11.0 MiB to 11.0 MiB       100%  all
   10.0 MiB  10.0 MiB to 10.0 MiB        91%  ├ /srv/app.py:9 serve
    6.0 MiB  6.0 MiB to 6.0 MiB          55%  │ ├ /srv/cache.py:2 remember
    4.0 MiB  4.0 MiB to 4.0 MiB          36%  │ └ /srv/rows.py:2 load
    1.0 MiB  1.0 MiB to 1.0 MiB           9%  └ (outer frames not kept)
    1.0 MiB  1.0 MiB to 1.0 MiB           9%    /srv/app.py:70 main
    1.0 MiB  1.0 MiB to 1.0 MiB           9%    /srv/cache.py:2 remember

Branches under 1% of all that is in use are folded.
"""


def test_the_tree() -> None:
    assert recording_tree(known(), 20, PLAIN) == HEADER + TREE


def test_small_branches_are_folded_into_one_line() -> None:
    stacks = {number: stack(f"f{number} /f.py:1", "main /m.py:1") for number in range(1, 12)}
    samples = [sample(1, 500 * MIB)] + [sample(number, MIB) for number in range(2, 12)]
    made = recording(stacks, samples, interval_bytes=1024)
    rows = recording_tree(made, 20, PLAIN).splitlines()[6:]
    assert rows[-3].split("MiB")[0].strip() == "10.0"
    assert rows[-3].endswith("└ (10 smaller)")
    assert recording_tree(made, 1, PLAIN).splitlines()[6:] == rows


def test_a_thousand_frames_deep() -> None:
    deep = {1: stack(*(f"f{number} /f.py:{number}" for number in range(1, 5000)))}
    rows = recording_tree(recording(deep, [sample(1)]), 20, PLAIN).splitlines()
    assert sum("/f.py:" in row for row in rows) == 4999
