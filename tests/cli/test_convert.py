"""`outlive convert`: each format to a file and to stdout, whole, and never onto the recording."""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.recorded import MIB, names, on_a_terminal, outlive, recorded

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("pprof", "speedscope", "folded", "json")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_holds_what_stdout_gets(tmp_path: Path, kind: str) -> None:
    file = recorded(tmp_path)
    piped = outlive("convert", file, "--to", kind)
    assert (piped.returncode, piped.stderr) == (0, b"")
    written = outlive("convert", file, "--to", kind, "-o", tmp_path / "out")
    assert (written.returncode, written.stdout) == (0, b"")
    assert (tmp_path / "out").read_bytes() == piped.stdout
    assert names(tmp_path) == ["out", "worker.outlive"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_dash_is_stdout(tmp_path: Path, kind: str) -> None:
    file = recorded(tmp_path)
    words = [sys.executable, "-m", "outlive", "convert", str(file), "--to", kind, "-o", "-"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == outlive("convert", file, "--to", kind).stdout
    assert names(tmp_path) == ["worker.outlive"]


def test_the_formats_are_what_they_are_called(tmp_path: Path) -> None:
    file = recorded(tmp_path)
    pprof, speedscope, folded, document = (outlive("convert", file, "--to", kind).stdout for kind in KINDS)
    assert b"inuse_space" in gzip.decompress(pprof)
    assert json.loads(speedscope)["profiles"][0]["endValue"] == 13 * MIB
    assert folded.decode().splitlines()[0] == (f"serve (/srv/app.py:9);remember (/srv/cache.py:5) {12 * MIB}")
    assert json.loads(document) == json.loads(outlive("report", file, "--json").stdout)


def test_a_terminal_is_spared_bytes_but_not_text(tmp_path: Path) -> None:
    for dash in ((), ("-o", "-")):
        code, shown = on_a_terminal("convert", recorded(tmp_path), "--to", "pprof", *dash)
        assert code == 2
        assert "pprof is no text for a terminal; name a file: -o worker.pb.gz" in shown
    code, shown = on_a_terminal("convert", recorded(tmp_path), "--to", "folded")
    assert code == 0
    assert "remember" in shown


@pytest.mark.parametrize("kind", KINDS)
def test_the_recording_is_not_overwritten(tmp_path: Path, kind: str) -> None:
    file = recorded(tmp_path)
    before = file.read_bytes()
    (tmp_path / "hard").hardlink_to(file)
    for out in (file, tmp_path / "hard"):
        done = outlive("convert", file, "--to", kind, "-o", out)
        assert done.returncode == 2
        assert b"it is the recording itself" in done.stderr
    assert file.read_bytes() == before


def test_a_disk_that_fills_leaves_the_old_file(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_text("old")
    done = subprocess.run(
        [sys.executable, "-B", "-m", "outlive", "convert", recorded(tmp_path), "--to", "json", "-o", out],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr.startswith(b"outlive: can't write ")
    assert out.read_text() == "old"
    assert names(tmp_path) == ["out", "worker.outlive"]


def test_an_unknown_format_is_bad_usage(tmp_path: Path) -> None:
    done = outlive("convert", recorded(tmp_path), "--to", "xml")
    assert done.returncode == 2
    assert b"pprof" in done.stderr
