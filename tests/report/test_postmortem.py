"""The postmortem in words, where the recording tells little or much."""

from __future__ import annotations

from pathlib import Path

import pytest

from outlive.recording.death import Death
from outlive.report.postmortem import other_text, postmortem_text
from outlive.report.style import Style
from tests.recording import synthetic

KILLED = Death("oom", "likely", "killed without a word: OOM kill", ("the count rose", "RSS was near"))


def test_of_an_empty_recording() -> None:
    text = postmortem_text(synthetic.recording(), KILLED, Style())
    assert text.startswith(
        "Cause     killed without a word: OOM kill (likely)\n"
        "          - the count rose\n"
        "          - RSS was near\n"
    )
    assert "Last" not in text


def test_what_is_certain_is_not_qualified() -> None:
    text = postmortem_text(synthetic.recording(), Death("exit", "certain", "exit (status 0)", ()), Style())
    assert text.startswith("Cause     exit (status 0)\n")


def test_the_last_figures_are_those_that_are_known() -> None:
    timeline = [synthetic.point(1.0, rss=9 << 20), synthetic.point(2.0, uss=1 << 20, tasks=1234)]
    text = postmortem_text(synthetic.recording(timeline=timeline), KILLED, Style())
    (line,) = (line for line in text.splitlines() if line.startswith("Last"))
    assert line.endswith(": USS 1.0 MiB, 1,234 tasks")
    assert "nothing was known" in postmortem_text(
        synthetic.recording(timeline=[synthetic.point(1.0)]), KILLED, Style()
    )


def test_another_one_is_two_lines_with_the_command_for_it() -> None:
    recorded = synthetic.recording(notes={"program": "worker.py"})
    first, second = other_text(Path("/r/\x1b[2J.outlive"), recorded, KILLED).splitlines()
    assert first.endswith("worker.py, pid 4321: killed without a word: OOM kill")
    assert second.strip() == "outlive postmortem /r/\N{REPLACEMENT CHARACTER}[2J.outlive"


def test_what_triggers_did_and_left(tmp_path: Path) -> None:
    said = {"fired": 2, "failed": 1, "last": {"rule": "rss > 1 MiB: log"}, "last_error": "webhook: \x1b[2J"}
    recorded = synthetic.recording(notes={"triggers": said})
    heaps = [tmp_path / "b.heap", tmp_path / "a.heap"]
    lines = postmortem_text(recorded, KILLED, Style(), heaps).splitlines()
    (triggers,) = (line for line in lines if line.startswith("Triggers"))
    assert "fired 2, failed 1; the last: rss > 1 MiB: log; what failed: webhook: " in triggers
    assert "\x1b" not in triggers
    (heap,) = (line for line in lines if line.startswith("Heap"))
    assert heap.endswith(f"outlive census {tmp_path / 'b.heap'} (1 older beside it)")


@pytest.mark.parametrize("said", [None, 3, {}, {"last": 3, "fired": {}}])
def test_notes_on_triggers_that_make_no_sense(said: object) -> None:
    text = postmortem_text(synthetic.recording(notes={"triggers": said}), KILLED, Style())
    assert "Heap    " not in text
