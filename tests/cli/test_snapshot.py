"""`outlive snapshot PID` and what it asks of the process, which here has a stand-in for the walk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from outlive.errors import OutliveError
from outlive.recording import snapshots
from tests.cli.recorded import names, on_a_terminal, outlive
from tests.guards.checkout import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_SECONDS = 60


@contextmanager
def child(recording: Path, what: str) -> Iterator[int]:
    """Run a process that records, and does that if it is asked for a snapshot."""
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.recording.snapshot_child", recording, what],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        try:
            yield running.pid
        finally:
            running.kill()


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    (tmp_path / "recordings").mkdir()
    return tmp_path / "recordings" / "77.outlive"


def test_a_file_that_the_other_commands_read(tmp_path: Path, recording: Path) -> None:
    file = tmp_path / "now.heap"
    with child(recording, "write") as pid:
        done = outlive("snapshot", pid, "-o", file)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(os.fsencode(file) + b"  pid 4321, Python 3.12.1")
    assert b"stood still for 12 ms" in done.stdout
    assert b"app.UserActivity" in outlive("census", file).stdout
    assert names(tmp_path) == ["now.heap", "recordings"]
    assert names(recording.parent) == ["77.outlive"]


def test_json_and_a_name_of_its_own(tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with child(recording, "write") as pid:
        document = json.loads(outlive("snapshot", pid, "--json").stdout)
    (file,) = names(here)
    assert file.startswith(f"{pid}-")
    assert file.endswith(".heap")
    assert document["file"] == file
    assert document["snapshot"]["pause_seconds"] == 0.012


def test_of_a_process_a_snapshot_is_taken_and_removed(tmp_path: Path, recording: Path) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    with child(recording, "write") as pid:
        done = subprocess.run(
            [sys.executable, "-m", "outlive", "census", "--json", str(pid)],
            env={**os.environ, "TMPDIR": str(folder)},
            capture_output=True,
            check=True,
        )
    types = {each["type"]: each["count"] for each in json.loads(done.stdout)["types"]}
    assert types["app.UserActivity"] == 3
    assert names(folder) == []


def test_growth_of_a_process_is_between_two_snapshots(recording: Path) -> None:
    with child(recording, "write") as pid:
        done = outlive("growth", pid, "--seconds", 0)
    assert done.returncode == 0
    assert done.stdout.count(b"stood still") == 2
    assert done.stdout.endswith(b"Nothing changed.\n")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("refuse", b"outlive: can't take a snapshot: there is no room; make some\n"),
        ("break", b"outlive: the snapshot failed: ZeroDivisionError: the stand-in broke\n"),
    ],
)
def test_what_goes_wrong_there_is_said_here(tmp_path: Path, recording: Path, what: str, said: bytes) -> None:
    with child(recording, what) as pid:
        done = outlive("snapshot", pid, "-o", tmp_path / "now.heap")
        assert outlive("census", pid).returncode == 3
    assert (done.returncode, done.stdout, done.stderr) == (3, b"", said)
    assert names(tmp_path) == ["recordings"]


def half_done(pid: int, file: Path) -> subprocess.Popen[bytes]:
    """Ask for a snapshot, and return when the process is about to write it."""
    asking = subprocess.Popen(
        [sys.executable, "-m", "outlive", "snapshot", str(pid), "-o", file],
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not Path(f"{file}.{pid}.part").exists():
        assert time.monotonic() < deadline
    return asking


def test_ctrl_c_stops_it_and_leaves_nothing(tmp_path: Path, recording: Path) -> None:
    file = tmp_path / "now.heap"
    with child(recording, "cancelled") as pid:
        asking = half_done(pid, file)
        asking.send_signal(signal.SIGINT)
        _, trouble = asking.communicate(timeout=PATIENCE_SECONDS)
        assert asking.returncode == 130
        assert b"Traceback" not in trouble
        assert names(tmp_path) == ["recordings"]
        assert names(recording.parent) == ["77.outlive"]


def test_a_process_killed_meanwhile(tmp_path: Path, recording: Path) -> None:
    file = tmp_path / "now.heap"
    with child(recording, "cancelled") as pid:
        asking = half_done(pid, file)
        os.kill(pid, signal.SIGKILL)
        _, trouble = asking.communicate(timeout=PATIENCE_SECONDS)
    assert asking.returncode == 3
    assert f"process {pid} ended before it answered".encode() in trouble
    assert names(tmp_path) == ["recordings"]


def test_how_far_it_is_on_a_terminal(tmp_path: Path, recording: Path) -> None:
    with child(recording, "slow") as pid:
        code, shown = on_a_terminal("snapshot", pid, "-o", tmp_path / "now.heap", NO_COLOR="1")
    assert code == 0
    assert f"\r\033[Ksnapshot of process {pid} · 1,234,567 objects · 1 s" in shown
    assert shown.splitlines()[-1].startswith(f"\033[K{tmp_path}/now.heap  pid 4321")


def test_a_process_of_another_container_writes_where_it_can(
    tmp_path: Path, recording: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "_sees_what_we_see", lambda _pid: False)
    before = set(Path(tempfile.gettempdir()).glob("outlive-*.heap"))
    with child(recording, "write") as pid:
        snapshots.take(pid, tmp_path / "now.heap", contents=False)
    assert (tmp_path / "now.heap").read_bytes().startswith(b"outheap\0")
    assert set(Path(tempfile.gettempdir()).glob("outlive-*.heap")) == before


@pytest.mark.parametrize("name", ["precious", "outlive-1-0123456789abcdef.heap"])
def test_a_process_that_names_what_is_not_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    precious = tmp_path / name
    precious.write_text("precious")
    with subprocess.Popen(["sleep", "60"]) as running:
        if name != "precious":  # the right name, but somebody else's, or a link to that
            (tmp_path / "link").mkdir()
            (tmp_path / "link" / name).symlink_to(precious)
            precious = tmp_path / "link" / name
        monkeypatch.setattr(snapshots, "_sees_what_we_see", lambda _pid: False)
        monkeypatch.setattr(snapshots, "_recording", lambda _pid: precious)
        monkeypatch.setattr(snapshots, "ask", lambda *_words, **_how: {"path": str(precious)})
        with pytest.raises(OutliveError, match="can't fetch"):
            snapshots.take(running.pid, tmp_path / "now.heap", contents=False)
        running.kill()
    assert precious.read_text() == "precious"
    assert not (tmp_path / "now.heap").exists()


def test_equal_values_are_asked_for(recording: Path) -> None:
    with child(recording, "write") as pid:
        (found,) = json.loads(outlive("duplicates", pid, "--json").stdout)["duplicates"]
    assert (found["type"], found["count"]) == ("str", 2)


def test_a_service_that_runs_outlive(tmp_path: Path) -> None:
    program = """
import asyncio, outlive
class UserActivity: pass
async def export():
    rows = [UserActivity() for _ in range(1000)]
    await asyncio.sleep(600)
async def main():
    outlive.start()
    task = asyncio.create_task(export(), name="export u42")
    await asyncio.sleep(0)
    print("ready", flush=True)
    await task
asyncio.run(main())
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OUTLIVE_RECORDING": str(tmp_path)},
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        try:
            done = outlive("snapshot", running.pid, "-o", tmp_path / "now.heap", "--json")
            (holder,) = json.loads(outlive("why", "UserActivity", running.pid, "--json").stdout)["holders"]
        finally:
            running.kill()
    info = json.loads(done.stdout)["snapshot"]
    assert info["pid"] == running.pid
    assert info["objects"] > 10_000
    assert 0 < info["pause_seconds"] < 10
    assert holder["count"] == 1000
    assert "export u42" in holder["text"]
    assert "rows" in holder["text"]


def test_a_process_without_outlive(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as running:
        done = outlive("snapshot", running.pid, "-o", tmp_path / "now.heap")
        why = outlive("why", "dict", running.pid)
        running.kill()
    said = f"outlive: process {running.pid} does not run outlive; outlive attach {running.pid}\n"
    assert (done.returncode, done.stderr.decode()) == (3, said)
    assert (why.returncode, why.stderr.decode()) == (3, said)
    gone = outlive("snapshot", running.pid, "-o", tmp_path / "now.heap")
    assert gone.returncode == 3
    assert f"there is no process {running.pid}".encode() in gone.stderr


def test_a_place_that_can_t_be_written_is_said_first(tmp_path: Path) -> None:
    done = outlive("snapshot", os.getpid(), "-o", tmp_path / "none" / "now.heap")
    assert done.returncode == 2
    assert b"can't write" in done.stderr
