"""`outlive run --sample --on`: said before the program starts, done while it runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Home

WAITS = """
import os, sys, time
from outlive.recording import reader
import pathlib
end = time.monotonic() + 60
while time.monotonic() < end:
    for file in pathlib.Path(os.environ["OUTLIVE_RECORDING"]).glob("*.outlive"):
        said = reader.read(file).process.notes.get("triggers", {})
        if said.get("fired") == 2:
            print("fired", *sys.argv[1:])
            sys.exit()
    time.sleep(0.01)
sys.exit(f"they never fired: {said}")
"""


@pytest.fixture(autouse=True)
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "recordings"
    monkeypatch.setenv("OUTLIVE_RECORDING", str(folder))
    return folder


def test_several_and_the_programs_own_words_stay_its_own(home: Home, recordings: Path) -> None:
    home.write("job.py", WAITS)
    ended = home.run(
        "--sample", "--on", "rss > 1 MiB: report", "--on", "rss > 2 MiB: snapshot", "job.py", "--on", "x"
    )
    assert (ended.code, ended.out.splitlines()[0]) == (0, "fired --on x"), ended
    assert len(list(recordings.glob("*.recording"))) == len(list(recordings.glob("*.heap"))) == 1
    shown = home.plain("-m", "outlive", "postmortem", str(recordings)).out
    (line,) = (line for line in shown.splitlines() if line.startswith("Triggers"))
    assert line == "Triggers  fired 2, failed 0; the last: rss > 2 MiB: snapshot"
    document = json.loads(home.plain("-m", "outlive", "postmortem", "--json", str(recordings)).out)
    assert document["heaps"] == list(map(str, recordings.glob("*.heap")))


def test_they_take_the_place_of_those_of_the_environment(home: Home, recordings: Path) -> None:
    home.write("job.py", WAITS)
    words = ("--sample", "--on", "rss > 1 MiB: report; rss > 2 MiB: report", "-m", "job")
    ended = home.run(*words, OUTLIVE_TRIGGERS="rss > 1 MiB: snapshot")
    assert ended.code == 0, ended
    assert not list(recordings.glob("*.heap"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--on", "rss > 1 MiB: log"], "--on goes with --sample; add --sample"),
        (["--sample", "--on", "rss > 1 MiB"], "it says nothing to do; add one of: snapshot, report, log"),
        (["--sample", "--on", "rss > 1 MiB: dump"], "'dump' is nothing to do"),
    ],
)
def test_a_mistake_ends_it_before_the_program_starts(home: Home, words: list[str], message: str) -> None:
    home.write("job.py", "open('ran', 'w').close()")
    ended = home.run(*words, "job.py")
    assert ended.code == 2
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
    assert home.files() == ["job.py"]
