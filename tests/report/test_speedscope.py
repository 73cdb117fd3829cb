"""speedscope's files, held against what its format asks for (file-format-spec.ts)."""

from __future__ import annotations

import json
from typing import Any

from outlive.report.speedscope import speedscope
from tests.recording.synthetic import recording, sample, stack

MIB = 1 << 20
PROFILE = {"type", "name", "unit", "startValue", "endValue", "samples", "weights"}


def named(document: dict[str, Any], profile: dict[str, Any]) -> dict[tuple[str, ...], int]:
    """Weights by names of frames."""
    frames = [frame["name"] for frame in document["shared"]["frames"]]
    stacks = [tuple(frames[number] for number in stack) for stack in profile["samples"]]
    return dict(zip(stacks, profile["weights"], strict=True))


def test_it_is_a_file_of_two_sampled_profiles() -> None:
    stacks = {
        1: stack("remember /srv/cache.py:5", "serve /srv/app.py:9", allocated=30.0, blocks=3.0),
        2: stack("load /srv/rows.py:2", "serve /srv/app.py:9", allocated=12.0, blocks=1.0),
    }
    made = recording(
        stacks,
        [sample(1, interval=1024), sample(1, interval=1024)],
        notes={"program": "serve.py"},
        forgotten_bytes=8.0,
    )
    document = json.loads(speedscope(made, "outlive@test"))

    assert document["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert (document["exporter"], document["name"]) == ("outlive@test", "serve.py")
    assert {"name": "remember", "file": "/srv/cache.py", "line": 5} in document["shared"]["frames"]
    for profile in document["profiles"]:
        assert profile.keys() == PROFILE
        assert (profile["type"], profile["unit"], profile["startValue"]) == ("sampled", "bytes", 0)
        assert profile["endValue"] == sum(profile["weights"])
    in_use, allocated = document["profiles"]
    assert named(document, in_use) == {("serve", "remember"): 2 * MIB}
    assert named(document, allocated) == {
        ("serve", "remember"): 30,
        ("serve", "load"): 12,
        ("(stacks not kept)",): 8,
    }
