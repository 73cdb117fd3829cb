"""The sentence under the buggy table has the table's own figures."""

import json
from pathlib import Path

import pytest

from outlive.demo.waiting import explain_wait

MIB = 1 << 20
QUERY = "activities = await session.execute(query)  # every row"


def profile(tmp_path: Path, source: str, mem_bytes: int, increment_bytes: int) -> Path:
    lines = [
        {"line": 22, "mem_bytes": MIB, "increment_bytes": 0, "source": "before"},
        {"line": 24, "mem_bytes": mem_bytes, "increment_bytes": increment_bytes, "source": source},
        {"line": 25, "mem_bytes": mem_bytes + 9 * MIB, "increment_bytes": 0, "source": "after"},
    ]
    file = tmp_path / "profile.json"
    file.write_text(json.dumps({"functions": [{"lines": lines}]}))
    return file


def test_both_columns_and_what_lies_between(tmp_path: Path) -> None:
    text = " ".join(explain_wait(profile(tmp_path, QUERY, 1_135 * MIB, 694 * MIB)).split())
    assert "Line 24, await session.execute(query): Mem usage rises by 1134.0 MiB" in text
    assert "its Increment is 694.0 MiB. The other 440.0 MiB were allocated by the thread" in text


@pytest.mark.parametrize(
    ("source", "mem_bytes"), [("result = await session.stream(query)", 100 * MIB), (QUERY, 3 * MIB - 1)]
)
def test_nothing_to_explain(tmp_path: Path, source: str, mem_bytes: int) -> None:
    assert explain_wait(profile(tmp_path, source, mem_bytes, MIB)) == ""
