"""`outlive postmortem` as people type it: on recordings of real processes that were really killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from outlive.capture import proc
from outlive.recording.totals import grouped
from tests.recording import synthetic

if TYPE_CHECKING:
    from outlive.model.recording import Recording
    from tests.cli.conftest import Ended, Home

MIB = 1 << 20
_CUT_OFF = 'exec 3>&1; { "$@" 2>&3; echo "code $?" >&3; } | true'
CACHE = "def put(key, value):\n    CACHE[key] = value\n"


def recorded(home: Home, pid: int, **process: object) -> Recording:
    """20 MiB on a line of a file that is there, 5 MiB without Python code."""
    source = home.write("cache.py", CACHE)
    os.utime(source, (synthetic.BEGAN - 60, synthetic.BEGAN - 60))
    notes = {
        "program": "serve.py",
        "boot_id": proc.boot_id(),
        "pid_namespace": proc.pid_namespace(),
        "start_ticks": proc.start_ticks(pid),
        "cgroup": {"path": "/sys/fs/cgroup/gone", "limit": 64 * MIB, "oom_kills": 0},
    }
    return synthetic.recording(
        {
            1: synthetic.stack(f"put {source}:2", f"serve {source}:9", allocated=30.0 * MIB),
            2: synthetic.stack(),
        },
        [*[synthetic.sample(1, MIB)] * 20, synthetic.sample(2, 5 * MIB)],
        [synthetic.point(float(second), rss=second * MIB, threads=3) for second in range(31)],
        process={"pid": pid, "notes": notes, **process},
    )


def postmortem(home: Home, *words: object) -> Ended:
    return home.plain("-m", "outlive", "postmortem", *map(str, words))


def document(home: Home, *words: object) -> dict[str, Any]:
    ended = postmortem(home, *words, "--json")
    assert (ended.code, ended.err) == (0, "")
    said: dict[str, Any] = json.loads(ended.out)
    return said


def test_after_kill_9_it_says_what_was_alive_and_how_sure_it_is(home: Home, tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        file = synthetic.write(tmp_path / "a.outlive", recorded(home, process.pid))
        assert "still running" in postmortem(home, file).out
        process.send_signal(signal.SIGKILL)
    text = postmortem(home, file).out
    assert "killed without a word: SIGKILL" in text
    assert "(possible)" in text
    assert "RSS 30.0 MiB at the last point, 47% of its control group's limit, 64.0 MiB" in text
    assert "RSS 30.0 MiB, 3 threads" in text
    assert "▁" in text
    assert "CACHE[key] = value" in text
    assert "\x1b" not in text


def test_the_json_document_has_the_stable_keys_and_the_truth(home: Home, tmp_path: Path) -> None:
    """The truth is 20 and 5 MiB in blocks of 1 and 5: the intervals hold them."""
    described = recorded(home, 4321, state="signalled", status=15, ended=synthetic.BEGAN + 31)
    said = document(home, synthetic.write(tmp_path / "a.outlive", described))
    assert (said["schema"], said["pid"], said["interval_bytes"], said["dropped"]) == (1, 4321, 1 << 17, 0)
    first, second = said["sites"]
    assert set(first) >= {"in_use_bytes", "blocks", "scope", "stack"}
    for held, truth in ((said["in_use_bytes"], 25), (first["in_use_bytes"], 20), (second["in_use_bytes"], 5)):
        assert held["low"] <= truth * MIB <= held["high"]
    assert first["stack"][0] == {
        "function": "put",
        "file": str(home.path / "cache.py"),
        "line": 2,
        "source": "CACHE[key] = value",
    }
    assert [frame["line"] for frame in first["stack"]] == [2, 9]
    assert second["stack"] == []
    assert [point["rss"] for point in said["timeline"]] == [second * MIB for second in range(31)]
    assert said["breakdown"] is None
    assert said["death"] == {
        "cause": "signal",
        "confidence": "certain",
        "text": "signal 15 (SIGTERM)",
        "reasons": [],
        "status": 15,
    }
    assert said["in_use_bytes"]["estimate"] == round(sum(site.in_use.estimate for site in grouped(described)))


def test_of_a_folder_the_last_to_die_is_taken_and_the_others_are_listed(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for pid, ended in ((11, 500.0), (12, 900.0), (13, 700.0)):
        died = recorded(home, pid, state="exited", status=pid, ended=synthetic.BEGAN + ended)
        synthetic.write(folder / f"{pid}.outlive", died)
    synthetic.write(folder / "live.outlive", recorded(home, os.getpid()))
    said = document(home, folder)
    assert (said["pid"], said["death"]["status"]) == (12, 12)
    assert [other["pid"] for other in said["others"]] == [13, 11]
    text = postmortem(home, folder).out
    assert text.startswith("Cause     exit (status 12)\n")
    assert "2 more, the last first:" in text
    assert f"outlive postmortem {folder}/13.outlive" in text
    assert "live.outlive" not in text
    asked = home.plain("-m", "outlive", "postmortem", "--json", OUTLIVE_RECORDING=str(folder))
    said = json.loads(asked.out)  # and of the user's other folders
    assert {11, 12, 13} <= {said["pid"], *(other["pid"] for other in said["others"])}


def test_of_a_process_its_newest_recording_is_taken(home: Home, tmp_path: Path) -> None:
    place = {"OUTLIVE_RECORDING": str(tmp_path)}
    with subprocess.Popen(["sleep", "60"]) as process:
        for name, ended in (("old", 500.0), ("new", 900.0)):
            died = recorded(
                home, process.pid, state="exited", status=int(ended) % 7, ended=synthetic.BEGAN + ended
            )
            synthetic.write(tmp_path / f"{name}.outlive", died)
        synthetic.write(
            tmp_path / "other.outlive", recorded(home, 1, state="exited", ended=synthetic.BEGAN + 1e5)
        )
        live = synthetic.write(tmp_path / "live.outlive", recorded(home, process.pid))
        lives = home.plain("-m", "outlive", "postmortem", str(process.pid), **place)
        live.unlink()
        process.kill()
    assert (lives.code, lives.out) == (3, "")
    assert lives.report == [f"outlive: process {process.pid} lives; outlive report {process.pid}"]
    dead = home.plain("-m", "outlive", "postmortem", str(process.pid), "--json", **place)
    said = json.loads(dead.out)
    assert said["file"] == str(tmp_path / "new.outlive")
    assert [other["file"] for other in said["others"]] == [str(tmp_path / "old.outlive")]
    for file in tmp_path.glob("*.outlive"):
        file.unlink()
    none = home.plain("-m", "outlive", "postmortem", str(process.pid), **place)
    assert none.code == 3
    assert none.report[0].startswith(f"outlive: there is no process {process.pid}")


def test_what_can_not_be_said_is_one_clear_line_and_exit_code_3(home: Home, tmp_path: Path) -> None:
    junk, empty, living = tmp_path / "junk.outlive", tmp_path / "empty", tmp_path / "living"
    junk.write_bytes(b"junk" * 5000)
    for folder in (empty, living):
        folder.mkdir()
    synthetic.write(living / "a.outlive", recorded(home, os.getpid()))
    for place, says in [
        (junk, "is no recording: it does not begin as one"),
        (tmp_path / "no.outlive", "there is no file"),
        (empty, "there is no recording in"),
        (living, f"its processes are running; outlive top {os.getpid()}"),
    ]:
        ended = postmortem(home, place)
        assert (ended.code, ended.out) == (3, "")
        (line,) = ended.report
        assert says in line


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_reader_that_has_seen_enough_is_no_error(home: Home, tmp_path: Path, words: list[str]) -> None:
    file = synthetic.write(tmp_path / "a.outlive", recorded(home, 4321))
    ended = subprocess.run(
        ["sh", "-c", _CUT_OFF, "sh", sys.executable, "-m", "outlive", "postmortem", str(file), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stdout == "code 0\n"


def test_a_full_disk_is_said(home: Home, tmp_path: Path) -> None:
    file = synthetic.write(tmp_path / "a.outlive", recorded(home, 4321))
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "outlive", "postmortem", str(file)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (
        3,
        "outlive: can't write to stdout: No space left on device\n",
    )
