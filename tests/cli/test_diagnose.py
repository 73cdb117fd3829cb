"""`outlive diagnose` on real processes: with outlive and without, stopped, gone, and nobody's."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from outlive.capture import proc, requests, rss
from outlive.errors import OutliveError
from outlive.recording import outside, trimming
from outlive.recording.folder import of_process
from outlive.recording.reader import outline
from tests.guards.checkout import ROOT
from tests.recording import synthetic

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20
SIZE = 50 * MIB
PARTS = (
    "python_in_use",
    "python_free",
    "malloc_in_use",
    "malloc_free",
    "heap",
    "anonymous",
    "file",
    "stacks",
)


@contextmanager
def child(*words: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program for as long as the block, from when it says "ready"."""
    running = subprocess.Popen(
        words,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=_environment() | variables,
    )
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        try:
            yield running
        finally:
            running.kill()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("OUTLIVE")}


def recording_child(file: Path, word: str = "answer") -> Any:  # noqa: ANN401 - child's
    return child(sys.executable, "-m", "tests.recording.recording_child", str(file), word)


def plain_child() -> Any:  # noqa: ANN401 - child's
    program = "kept = [bytes(95) for _ in range(100_000)]; print('ready', flush=True); input()"
    return child(sys.executable, "-c", program)


def diagnose(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "outlive", "diagnose", *map(str, words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        env=_environment(),
        check=False,
    )


def report(*words: object) -> dict[str, Any]:
    ended = diagnose("--json", *words)
    assert ended.returncode == 0, ended.stderr
    document: dict[str, Any] = json.loads(ended.stdout)
    parts = document["breakdown"]
    assert sum(parts[part] or 0 for part in PARTS) + parts["unexplained"] == parts["rss"]
    assert abs(parts["unexplained"]) <= 0.05 * parts["rss"], parts
    return document


def test_a_process_that_records(tmp_path: Path) -> None:
    file = tmp_path / "service.outlive"
    with recording_child(file) as running:
        document = report(running.pid)
        assert document["breakdown"]["malloc_free"] == pytest.approx(SIZE, rel=0.05)
        assert document["breakdown"]["rss"] == pytest.approx(rss.rss_bytes(running.pid), rel=0.05)
        assert (document["schema"], document["pid"]) == (1, running.pid)
        assert all(finding["scope"] == "" for finding in document["findings"])
        assert document["unknown"] == ""
        assert document["figures_age_seconds"] == 0  # it was asked
        text = diagnose(running.pid).stdout
    assert f"pid {running.pid}" in text
    assert f"outlive diagnose --trim {running.pid}" in text
    assert "\033" not in text


def test_trimming_gives_back_what_was_free(tmp_path: Path) -> None:
    file = tmp_path / "service.outlive"
    with recording_child(file) as running:
        before = rss.rss_bytes(running.pid)
        document = report("--trim", running.pid)
        given = before - rss.rss_bytes(running.pid)
        text = diagnose("--trim", running.pid).stdout
    trimmed = document["trimmed"]
    assert given == pytest.approx(SIZE, rel=0.05)
    assert trimmed["rss_before"] - trimmed["rss_after"] == pytest.approx(given, abs=2 * MIB)
    assert document["breakdown"]["malloc_free"] < 2 * MIB
    assert document["breakdown"]["rss"] < before - 0.9 * SIZE
    assert "Trimming gave back 0." in text  # there was nothing left
    assert not Path(f"{file}.request").exists()


def test_nobody_answers(tmp_path: Path) -> None:
    file = tmp_path / "service.outlive"
    with recording_child(file, "ignore") as running:
        before = rss.rss_bytes(running.pid)
        with pytest.raises(OutliveError, match=f"process {running.pid} did not take up the request to trim"):
            trimming.trim(file, patience_seconds=0.2)
        assert not Path(f"{file}.request").exists()
        assert rss.rss_bytes(running.pid) == pytest.approx(before, abs=MIB)
        silent = diagnose(running.pid).stdout
        assert "did not take up the request to measure" in silent
        assert not Path(f"{file}.request").exists()
        Path(f"{file}.request").write_text("trim")
        with pytest.raises(OutliveError, match="somebody else is asking"):
            trimming.trim(file)


def test_two_that_ask_take_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "service.outlive"
    ask, refused = requests.ask, []

    def ask_and_let_go_on(recording: str, *words: str) -> int:
        try:
            return ask(recording, *words)
        except FileExistsError:
            refused.append(words)
            os.kill(running.pid, signal.SIGCONT)
            raise

    monkeypatch.setattr(requests, "ask", ask_and_let_go_on)
    with recording_child(file) as running:
        os.kill(running.pid, signal.SIGSTOP)
        Path(f"{file}.request").write_text("measure")  # another's
        assert trimming.trim(file).rss_after > 0
    assert refused


def test_a_process_that_dies_instead(tmp_path: Path) -> None:
    file = tmp_path / "service.outlive"
    with recording_child(file, "ignore") as running:
        asking = subprocess.Popen(
            [sys.executable, "-m", "outlive", "diagnose", "--trim", str(running.pid)],
            stderr=subprocess.PIPE,
            text=True,
        )
        while not Path(f"{file}.request").exists():
            assert asking.poll() is None
        running.kill()
        _, trouble = asking.communicate(timeout=60)
    assert asking.returncode == 3
    assert f"process {running.pid} ended before it answered" in trouble
    assert not Path(f"{file}.request").exists()


def test_a_service_that_samples(tmp_path: Path) -> None:
    program = """
import outlive
outlive.start()
kept = [bytes(95) for _ in range(400_000)]
print("ready", flush=True)
input()
"""
    with child(sys.executable, "-c", program, OUTLIVE_RECORDING=str(tmp_path)) as running:
        deadline = time.monotonic() + 60
        while (document := report(running.pid))["age_seconds"] is None:
            assert time.monotonic() < deadline
        assert document["unknown"] == ""
        trimmed = report("--trim", running.pid)  # the newest figures
    assert trimmed["breakdown"]["python_in_use"] == pytest.approx(400_000 * 128, rel=0.2)
    assert trimmed["trimmed"]["rss_after"] > 0


def test_what_was_allocated_this_moment_is_python_s(tmp_path: Path) -> None:
    program = """
import outlive
outlive.start()
print("ready", flush=True)
input()
kept = [bytes(95) for _ in range(410_000)]
print("grown", flush=True)
input()
"""
    with child(sys.executable, "-c", program, OUTLIVE_RECORDING=str(tmp_path)) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        before = report(running.pid)["breakdown"]
        running.stdin.write("\n")
        running.stdin.flush()
        assert running.stdout.readline() == "grown\n"
        document = report(running.pid)
        text = diagnose(running.pid).stdout
    after = document["breakdown"]
    assert document["figures_age_seconds"] == 0
    assert after["python_in_use"] - before["python_in_use"] == pytest.approx(410_000 * 128, rel=0.1)
    assert after["anonymous"] - before["anonymous"] < 3 * MIB
    assert "old" not in text
    assert not list(tmp_path.glob("*.request"))


def test_a_stopped_process_is_looked_at_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "service.outlive"
    with recording_child(file) as running:
        os.kill(running.pid, signal.SIGSTOP)
        document = report(running.pid)
        began = time.monotonic()
        text = diagnose(running.pid).stdout
        assert time.monotonic() - began < 4  # there is a figure to go on with: nobody waits long
    assert document["breakdown"]["malloc_free"] > 0.9 * SIZE
    assert document["figures_age_seconds"] > 1
    assert re.search(r"other anonymous, growth of \d+ s  ", text)
    assert "did not take up the request to measure: it is stopped" in text
    assert not Path(f"{file}.request").exists()


def test_a_python_without_outlive() -> None:
    with plain_child() as running:
        document = report(running.pid)
        text = diagnose(running.pid).stdout
        refused = diagnose("--trim", running.pid)
    parts = document["breakdown"]
    assert [parts[part] for part in PARTS[:4]] == [None] * 4
    assert parts["anonymous"] > 12_800_000
    assert "outlive run --sample" in text
    assert f"outlive attach {running.pid}" in text
    assert "unknown" in text
    assert refused.returncode == 3
    assert f"there is no recording of process {running.pid}" in refused.stderr


def test_a_process_that_is_no_python() -> None:
    with child("sh", "-c", "echo ready; exec sleep 600") as running:
        document = report(running.pid)
    assert "no Python process" in document["unknown"]
    assert document["age_seconds"] is None


def test_a_pid_that_was_given_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTLIVE_RECORDING", str(tmp_path))
    with plain_child() as running:
        notes = {
            "boot_id": proc.boot_id(),
            "pid_namespace": proc.pid_namespace(),
            "start_ticks": proc.start_ticks(running.pid) - 1,
            "breakdown": {"pymalloc_in_use": 1, "pymalloc_free": 1, "heaps_in_use": 1, "heaps_free": 1},
        }
        recorded = synthetic.recording(notes=notes, process={"pid": running.pid})
        file = synthetic.write(tmp_path / f"{running.pid}-20261123T090000.outlive", recorded, points=4)
        assert outline(file).process.pid == running.pid
        with pytest.raises(OutliveError, match="no recording"):
            of_process(running.pid)


@pytest.mark.parametrize(
    "said",
    [
        [],
        {"time": "yesterday", "pymalloc_in_use": -1, "heaps_in_use": 1e300, "mapped": True},
        {
            "pymalloc_in_use": 1 << 62,
            "pymalloc_free": 1 << 62,
            "heaps_in_use": 1 << 62,
            "python_large": 1 << 62,
        },
    ],
)
def test_notes_with_anything_in_them(said: object) -> None:
    recorded = synthetic.recording(notes={"breakdown": said}, process={"pid": os.getpid()})
    seen = outside.look(os.getpid(), recorded)
    parts = seen.breakdown
    assert sum(getattr(parts, part) or 0 for part in PARTS) + parts.unexplained == parts.rss


@pytest.mark.parametrize("option", ["--json", "--trim"])
def test_a_pid_that_is_nobody_s(option: str) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    ended = diagnose(option, gone.pid)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr.startswith(f"outlive: there is no process {gone.pid}")
    assert len(ended.stderr.splitlines()) == 1


def test_a_process_that_waits_to_be_buried() -> None:
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    ended = diagnose(zombie.pid)
    zombie.wait()
    assert ended.returncode == 3
    assert f"process {zombie.pid} has ended: it is a zombie" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [[], ["x"], ["0"], ["-5"], ["1", "2"], ["99999999999999999999"]])
def test_bad_usage(words: list[str]) -> None:
    ended = diagnose(*words)
    assert ended.returncode in {2, 3}
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_s_process() -> None:
    with plain_child() as running:
        os.seteuid(65534)
        try:
            with pytest.raises(OutliveError, match="belongs to user 0; ask as its user, or as root"):
                outside.look(running.pid, None)
        finally:
            os.seteuid(0)
