"""Cause of death: what is said for each piece of evidence, and that OOM is never said without."""

from __future__ import annotations

import itertools
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from outlive.capture import cgroup, proc
from outlive.recording.death import Death, Evidence, death, evidence, judged
from tests.recording import synthetic

if TYPE_CHECKING:
    from outlive.model.recording import Recording

MIB = 1 << 20


def gone(
    *, oom_kills: int | None = None, memory_bytes: int | None = None, same_boot: bool = True
) -> Evidence:
    """What the machine tells of a process that is not there any more."""
    return Evidence(live=False, same_boot=same_boot, oom_kills=oom_kills, memory_bytes=memory_bytes)


def left(
    *, rss: int | None = None, limit: int | None = 512 * MIB, oom_kills: int | None = 2, **process: object
) -> Recording:
    """What a process left behind that was killed at so many bytes of RSS."""
    notes = {"cgroup": {"path": "/sys/fs/cgroup/app", "limit": limit, "oom_kills": oom_kills}}
    timeline = [synthetic.point(9.0, rss=rss), synthetic.point(10.0)] if rss is not None else []
    return synthetic.recording(timeline=timeline, notes=notes, process={**process, "notes": notes})


@pytest.mark.parametrize(
    ("process", "cause", "text"),
    [
        ({"state": "exited", "status": 0}, "exit", "exit (status 0)"),
        ({"state": "exited", "status": 3}, "exit", "exit (status 3)"),
        ({"state": "signalled", "status": 15}, "signal", "signal 15 (SIGTERM)"),
        ({"state": "signalled", "status": 11}, "signal", "signal 11 (SIGSEGV)"),
        ({"state": "signalled", "status": 120}, "signal", "signal 120"),
        ({"state": "stopped"}, "stopped", "outlive.stop() ended the recording; what came after is not known"),
    ],
)
def test_what_the_process_noted_itself_is_certain(process: dict[str, Any], cause: str, text: str) -> None:
    """Even beside signs of an OOM kill: those were another's."""
    found = judged(left(rss=511 * MIB, **process), gone(oom_kills=9))
    assert (found.cause, found.confidence, found.text) == (cause, "certain", text)
    assert found.status == process.get("status")


def test_a_live_process_has_not_died() -> None:
    seen = Evidence(live=True, same_boot=True, oom_kills=9, memory_bytes=None)
    assert judged(left(), seen) == Death("running", "certain", "still running", ())


@pytest.mark.parametrize(
    ("rss", "oom_kills", "limit", "cause", "confidence"),
    [
        (500 * MIB, 3, 512 * MIB, "oom", "likely"),
        (None, 3, 512 * MIB, "oom", "likely"),
        (100 * MIB, 3, 512 * MIB, "oom", "possible"),  # another process of the group, perhaps
        (500 * MIB, 2, 512 * MIB, "killed", "likely"),  # so near, but the kernel counted none
        (500 * MIB, None, 512 * MIB, "oom", "possible"),  # the container is gone
        (400 * MIB, None, 512 * MIB, "killed", "possible"),
        (400 * MIB, None, None, "killed", "possible"),
        (None, None, None, "killed", "possible"),
        (7900 * MIB, None, None, "oom", "possible"),  # of the machine's 8 GiB
    ],
)
def test_oom_is_told_from_kill_9_by_the_evidence(
    rss: int | None, oom_kills: int | None, limit: int | None, cause: str, confidence: str
) -> None:
    found = judged(left(rss=rss, limit=limit), gone(oom_kills=oom_kills, memory_bytes=8 << 30))
    assert (found.cause, found.confidence) == (cause, confidence)
    assert found.text.startswith("killed without a word")
    assert found.status is None


def test_the_reasons_are_figures() -> None:
    found = judged(left(rss=486 * MIB), gone(oom_kills=3))
    assert found.reasons[1:] == (
        "its control group counts 1 OOM kill since it began",
        "RSS 486.0 MiB at the last point, 95% of its control group's limit, 512.0 MiB",
    )


def test_never_oom_without_evidence() -> None:
    for rss, limit, noted, now in itertools.product(
        (None, 1, 400 * MIB), (None, 512 * MIB), (None, 0, 5), (None, 0, 5)
    ):
        rose = noted is not None and now is not None and now > noted
        found = judged(left(rss=rss, limit=limit, oom_kills=noted), gone(oom_kills=now))
        assert (found.cause == "oom") == rose


def test_after_another_boot_nobody_knows() -> None:
    found = judged(left(rss=500 * MIB), gone(same_boot=False))
    assert (found.cause, found.confidence) == ("reboot", "possible")
    assert "OOM" not in found.text


@pytest.mark.parametrize(
    "notes", [{}, {"cgroup": 3}, {"cgroup": {"path": 3, "limit": "x", "oom_kills": "many"}}]
)
def test_notes_that_say_nonsense_are_no_evidence(notes: dict[str, object]) -> None:
    recorded = synthetic.recording(timeline=[synthetic.point(1.0, rss=1 << 40)], notes=notes)
    assert judged(recorded, gone(memory_bytes=8 << 30)).cause in ("killed", "oom")
    assert judged(recorded, gone(oom_kills=5)).cause == "killed"
    assert death(recorded).text


def test_the_machine_is_asked_for_the_group_that_the_process_was_in() -> None:
    group = cgroup.of_this_process()
    if group.path is None or group.oom_kills is None or not group.path.startswith("/sys/fs/cgroup/"):
        pytest.skip("no memory group is mounted here")
    here = {"boot_id": proc.boot_id(), "pid_namespace": proc.pid_namespace()}
    notes = {**here, "cgroup": {"path": group.path, "oom_kills": group.oom_kills, "limit": None}}
    assert evidence(synthetic.recording(notes=notes)).oom_kills == group.oom_kills
    elsewhere = {**notes, "pid_namespace": 1}  # the path may be another group there
    assert evidence(synthetic.recording(notes=elsewhere)).oom_kills is None


@pytest.mark.parametrize("path", ["/etc", "/sys/fs/cgroup/../../../tmp", "/sys/fs/cgroup/no-such-group"])
def test_no_other_file_is_read_for_it(path: str) -> None:
    notes = {"boot_id": proc.boot_id(), "pid_namespace": proc.pid_namespace(), "cgroup": {"path": path}}
    assert evidence(synthetic.recording(notes=notes)).oom_kills is None


def test_a_real_kill_9_is_no_oom() -> None:
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    notes = {
        "boot_id": proc.boot_id(),
        "pid_namespace": proc.pid_namespace(),
        "start_ticks": proc.start_ticks(child),
    }
    recorded = synthetic.recording(
        timeline=[synthetic.point(1.0, rss=5 * MIB)], notes=notes, process={"pid": child, "notes": notes}
    )
    assert death(recorded).cause == "running"
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert death(recorded).cause == "killed"  # a zombie is dead
    os.waitpid(child, 0)
    found = death(recorded)
    assert (found.cause, found.confidence) == ("killed", "possible")
    assert "5.0 MiB at the last point" in found.reasons[2]


@pytest.mark.parametrize("name", ["\0", "\ud800", "x" * 5000])
def test_a_control_group_that_no_file_can_be_is_gone(name: str) -> None:
    notes = {
        "cgroup": {"path": f"/sys/fs/cgroup/{name}", "limit": None, "oom_kills": 0},
        "boot_id": proc.boot_id(),
        "pid_namespace": proc.pid_namespace(),
        "start_ticks": 1,
    }
    recorded = synthetic.recording(process={"state": "running", "pid": 1 << 22, "notes": notes})
    assert death(recorded).cause == "killed"
