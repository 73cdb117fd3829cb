"""`outlive diff`: two files in, what grew out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.recorded import MIB, outlive, recorded

if TYPE_CHECKING:
    from pathlib import Path


def test_the_line_that_grew(tmp_path: Path) -> None:
    before, after = recorded(tmp_path, "a.outlive"), recorded(tmp_path, "b.outlive", blocks=9)
    done = outlive("diff", before, after)
    assert (done.returncode, done.stderr) == (0, b"")
    rows = [row.split() for row in done.stdout.decode().splitlines() if "/srv/" in row]
    assert [(row[0], *row[-2:]) for row in rows] == [("+24.0", "/srv/cache.py:5", "remember")]


def test_json(tmp_path: Path) -> None:
    before, after = recorded(tmp_path, "a.outlive"), recorded(tmp_path, "b.outlive", blocks=9)
    document = json.loads(outlive("diff", before, after, "--json", "--group", "stack").stdout)
    (site,) = document["sites"]
    assert site["grown_bytes"]["estimate"] == 24 * MIB
    assert [frame["function"] for frame in site["stack"]] == ["remember", "serve"]
    (back,) = json.loads(outlive("diff", after, before, "--json").stdout)["sites"]
    assert back["grown_bytes"]["estimate"] == -24 * MIB


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    done = outlive("diff", recorded(tmp_path), tmp_path / "none.outlive")
    assert done.returncode == 3
    assert done.stderr.startswith(b"outlive: there is no file ")
    assert done.stderr.count(b"\n") == 1
