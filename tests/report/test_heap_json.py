"""The documents' keys, which scripts rely on."""

from __future__ import annotations

import json
from datetime import date

from outlive.model.heap import Change, Holder, Root, SnapshotInfo, Suspect, Total
from outlive.report.heap_json import (
    census_json,
    growth_json,
    holders_json,
    retained_json,
    rows_json,
    suspects_json,
)

INFO = SnapshotInfo(4711, "3.12.1", 1_700_000_000.0, 0.012, 1.5, 12, 34, 56)
TOTAL = Total("dict", 3, 256, 836)
AS_JSON = {"type": "dict", "count": 3, "shallow_bytes": 256, "retained_bytes": 836}


def test_census() -> None:
    document = json.loads(json.dumps(census_json(INFO, [TOTAL, TOTAL], 1)))
    assert document["schema"] == 1
    assert document["snapshot"]["pid"] == 4711
    assert document["types"] == [AS_JSON]
    assert document["types_left_out"] == 1


def test_growth() -> None:
    change = Change("dict", (1, 2, 4), (10, 20, 40), (10, 30, 30))
    document = json.loads(json.dumps(growth_json([INFO] * 3, [change], None)))
    assert len(document["snapshots"]) == 3
    assert document["types"] == [
        {
            "type": "dict",
            "count": 3,
            "shallow_bytes": 30,
            "retained_bytes": 20,
            "always_grew": True,
            "each": {"count": [1, 2, 4], "shallow_bytes": [10, 20, 40], "retained_bytes": [10, 30, 30]},
        }
    ]


def test_holders() -> None:
    root = Root("module", "app")
    holder = Holder(2, 96, root, ("module app", "CACHE"), "module app → CACHE", "app.py:5 remember")
    document = json.loads(json.dumps(holders_json(INFO, "dict", [holder, holder], 1)))
    assert document["target"] == "dict"
    assert document["holders"] == [
        {
            "count": 2,
            "retained_bytes": 96,
            "root": {"kind": "module", "name": "app"},
            "path": ["module app", "CACHE"],
            "text": "module app → CACHE",
            "made": "app.py:5 remember",
        }
    ]


def test_suspects_and_retained() -> None:
    suspect = Suspect(1, "dict", 836, 0.5, "module app", "module app → CACHE", (TOTAL,))
    (document,) = json.loads(json.dumps(suspects_json(INFO, [suspect], None)))["suspects"]
    assert document["content"] == [AS_JSON]
    assert retained_json(INFO, "dict", 836)["retained_bytes"] == 836


def test_rows_that_json_has_no_word_for() -> None:
    rows = [(1, "a", None, True, 1.5), (date(2026, 11, 23), [1, 2], b"x", 2, 3)]
    document = json.loads(json.dumps(rows_json(INFO, "abcde", rows)))
    assert document["columns"] == list("abcde")
    assert document["rows"] == [[1, "a", None, True, 1.5], ["2026-11-23", "[1, 2]", "b'x'", 2, 3]]
