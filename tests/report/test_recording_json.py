"""The JSON document of a recording: what is asked for is in it, the rest is counted, any notes fit in."""

from __future__ import annotations

import json
from dataclasses import asdict

from outlive.model.breakdown import Breakdown
from outlive.recording.death import Death
from outlive.report.recording_json import recording_json
from tests.recording import synthetic

MIB = 1 << 20
STACKS = {
    1: synthetic.stack("put cache.py:5", "a a.py:1", allocated=8.0),
    2: synthetic.stack("put cache.py:5", "b b.py:1", cut=True),
    3: synthetic.stack("get cache.py:9"),
}
BREAKDOWN = Breakdown(100, 40, 5, 20, None, 15, 5, 3, 2)
RECORDED = synthetic.recording(
    STACKS,
    [synthetic.sample(1, 4 * MIB), synthetic.sample(2, 2 * MIB), synthetic.sample(3, MIB)],
    [synthetic.point(float(second), rss=second) for second in range(9)],
    breakdown=BREAKDOWN,
    dropped=3,
)


def sites(document: dict[str, object]) -> list[list[str]]:
    found = document["sites"]
    assert isinstance(found, list)
    return [[f"{frame['file']}:{frame['line']}" for frame in site["stack"]] for site in found]


def test_whole_stacks_by_default() -> None:
    document = recording_json(RECORDED)
    assert sites(document) == [["cache.py:5", "a.py:1"], ["cache.py:5", "b.py:1"], ["cache.py:9"]]
    assert document["breakdown"] == asdict(BREAKDOWN)
    assert document["dropped"] == 3
    assert "death" not in document


def test_grouped_and_cut_off_as_asked_for() -> None:
    document = recording_json(RECORDED, by="line", limit=1, points=2)
    assert sites(document) == [["cache.py:5"]]
    assert document["sites_left_out"] == 1
    timeline = document["timeline"]
    assert isinstance(timeline, list)
    assert [point["rss"] for point in timeline] == [7, 8]


def test_the_death_is_told() -> None:
    document = recording_json(RECORDED, death=Death("exit", "certain", "exit (status 3)", ("it said so",), 3))
    assert json.loads(json.dumps(document))["death"] == {
        "cause": "exit",
        "confidence": "certain",
        "text": "exit (status 3)",
        "reasons": ["it said so"],
        "status": 3,
    }


def test_notes_of_any_kind_fit_in() -> None:
    for notes in ({"program": 3, "python": []}, {"program": "\ud800\x1b[2J", "python": None}):
        text = json.dumps(recording_json(synthetic.recording(notes=notes)))
        assert "\x1b" not in json.loads(text)["process"]["program"]
