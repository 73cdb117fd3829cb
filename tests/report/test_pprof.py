"""pprof files, as the real `go tool pprof` reads them."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from outlive.report.pprof import pprof
from outlive.report.protobuf import integer, varint
from tests.recording.synthetic import recording, sample, stack

if TYPE_CHECKING:
    from pathlib import Path

    from outlive.model.recording import Recording

MIB = 1 << 20
needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed")


def known() -> Recording:
    """Blocks so much larger than the interval that each stands for itself alone: 5, 3 and 1 MiB."""
    stacks = {
        1: stack("remember /srv/cache.py:5", "serve /srv/app.py:9", allocated=20.0 * MIB, blocks=20.0),
        2: stack("remember /srv/cache.py:7", "serve /srv/app.py:9", allocated=3.0 * MIB, blocks=3.0),
        3: stack("load /srv/rows.py:2", allocated=50.0 * MIB, blocks=10.0, cut=True),
    }
    samples = [sample(1, born=float(at)) for at in range(5)] + [sample(2, 3 * MIB)] + [sample(0, 16 * MIB)]
    return recording(
        stacks | {0: stack(allocated=16.0 * MIB, blocks=1.0)},
        samples,
        interval_bytes=1 << 12,
        current_interval_bytes=1 << 12,
        forgotten_bytes=7.0 * MIB,
        forgotten_blocks=70.0,
    )


def go(tmp_path: Path, *words: str) -> str:
    file = tmp_path / "heap.pb.gz"
    file.write_bytes(pprof(known(), "outlive@test"))
    done = subprocess.run(
        ["go", "tool", "pprof", *words, str(file)],
        env=os.environ | {"HOME": str(tmp_path), "PPROF_TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def top(text: str) -> dict[str, str]:
    """Flat value by function."""
    rows = re.findall(r"^ *(\S+) +\S+% +\S+% +\S+ +\S+% +(.+)$", text, re.MULTILINE)
    return {name: flat for flat, name in rows}


@needs_go
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("inuse_space", {"(no Python line known)": "16MB", "remember": "8MB", "serve": "0"}),
        ("inuse_objects", {"(no Python line known)": "1", "remember": "6", "serve": "0"}),
        (
            "alloc_space",
            {
                "load": "50MB",
                "remember": "23MB",
                "(no Python line known)": "16MB",
                "(stacks not kept)": "7MB",
                "serve": "0",
                "(outer frames not kept)": "0",
            },
        ),
        (
            "alloc_objects",
            {
                "load": "10",
                "remember": "23",
                "(no Python line known)": "1",
                "(stacks not kept)": "70",
                "serve": "0",
                "(outer frames not kept)": "0",
            },
        ),
    ],
)
def test_go_reads_what_was_put_in(tmp_path: Path, kind: str, expected: dict[str, str]) -> None:
    assert top(go(tmp_path, "-top", f"-sample_index={kind}", "-nodefraction=0")) == expected


@needs_go
def test_go_shows_bytes_in_use_by_itself_and_lines_and_threads(tmp_path: Path) -> None:
    shown = go(tmp_path, "-top", "-lines", "-nodefraction=0")
    assert "Type: inuse_space" in shown
    found = top(shown)
    assert found["remember /srv/cache.py:5"] == "5MB"
    assert found["remember /srv/cache.py:7"] == "3MB"
    assert " ".join(go(tmp_path, "-tags").split()) == "thread: Total 24.0MB 24.0MB ( 100%): 77"


@needs_go
def test_go_knows_who_calls_whom(tmp_path: Path) -> None:
    shown = go(tmp_path, "-peek", "remember")
    assert re.search(r"8MB +100% \| +serve", shown)


def test_the_same_recording_gives_the_same_file() -> None:
    one = pprof(known(), "")
    assert one == pprof(known(), "")
    assert gzip.decompress(one)


@pytest.mark.parametrize(
    ("number", "encoded"),
    [
        (0, b"\0"),
        (1, b"\1"),
        (127, b"\x7f"),
        (128, b"\x80\1"),
        (300, b"\xac\2"),
        (-1, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"),
    ],
)
def test_varints_are_those_of_the_specification(number: int, encoded: bytes) -> None:
    assert varint(number) == encoded


def test_an_integer_field_is_that_of_the_specification() -> None:
    assert integer(1, 150) == b"\x08\x96\x01"
    assert integer(1, 0) == b""
