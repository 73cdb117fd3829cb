"""The figures that triggers are about: survivors of real runs, real growth, a control group's limit."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from outlive.capture import cgroup
from outlive.recording import heaps, reader
from tests.capture.recorded import Place
from tests.capture.triggered import err_of, files, run, start

if TYPE_CHECKING:
    from pathlib import Path

# In a namespace of its own, and so unseen by all others, plain files lie over those of the control group: the
# program writes there what the kernel would. It is a stand-in: no kernel acts on these limits.
_OVERLAY = 'mount -t tmpfs none "$GROUP" && exec "$@"'
GROUP = """
group = pathlib.Path(os.environ["GROUP"])
def kernel_says(limit, usage, inactive=0, whole=0):
    figures = {"max": limit, "limit_in_bytes": limit, "current": usage, "usage_in_bytes": usage}
    for name, figure in {**figures, "oom.group": whole}.items():
        new = group / f".{name}"
        new.write_text(f"{figure}\\n")
        new.rename(group / f"memory.{name}")
    stat = f"anon 5\\ninactive_file {inactive}\\ntotal_inactive_file {inactive}\\n"
    (group / "memory.stat").write_text(stat)
MIB = 1 << 20
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return Place(tmp_path)


@pytest.fixture
def grouped(place: Place) -> list[str]:
    """Return the words before a program that sees the files of its group as it writes them."""
    folder = cgroup.of_this_process().path
    if folder is None:
        pytest.skip("there is no control group of memory here")
    place.environment["GROUP"] = folder
    words = ["unshare", "--mount", "sh", "-c", _OVERLAY, "sh"]
    if subprocess.run([*words, "true"], env=place.environment, capture_output=True, check=False).returncode:
        pytest.skip("can't make namespaces here")
    return words


# ---- the limit ----


def test_near_the_limit_a_last_snapshot_outlives_the_kill(place: Place, grouped: list[str]) -> None:
    """Kill -9 stands in for the OOM killer."""
    child = start(
        place,
        GROUP
        + """
kernel_says(1000 * MIB, 600 * MIB)
outlive.start(triggers=["left < 10 %: report, snapshot"])
before = until(lambda: own().timeline)
until(lambda: len(own().timeline) > len(before))
assert triggers()["fired"] == 0
kernel_says(1000 * MIB, 930 * MIB)
seen(fired=1, failed=0)
assert triggers()["last"]["value_bytes"] == 70 * MIB, triggers()
print("ready", flush=True)
input()
""",
        before=grouped,
    )
    child.kill()
    child.communicate()
    (recording,) = files(place, ".outlive")
    assert heaps.of_recording(recording, reader.read(recording)) == files(place, ".heap") != []


def test_what_the_kernel_can_drop_at_once_is_not_near_the_limit(place: Place, grouped: list[str]) -> None:
    said = err_of(
        place,
        GROUP
        + """
kernel_says(1000 * MIB, 990 * MIB, inactive=500 * MIB)
outlive.start(triggers=["left < 10 %: log"])
before = until(lambda: own().timeline)
until(lambda: len(own().timeline) > len(before) + 1)
assert triggers()["fired"] == 0
kernel_says(1000 * MIB, 990 * MIB, inactive=5 * MIB)
seen(fired=1, failed=0)
""",
        *grouped,
    )
    assert said.startswith("trigger left < 10 % at 15.0 MiB, RSS ")


def test_without_the_room_no_snapshot_is_begun(place: Place, grouped: list[str]) -> None:
    err_of(
        place,
        GROUP
        + """
kernel_says(1000 * MIB, 995 * MIB)
outlive.start(triggers=["left < 10 %: snapshot, report"])
seen(fired=1, failed=1)
assert "MiB can be had" in triggers()["last_error"], triggers()
assert triggers()["report"]
""",
        *grouped,
    )
    assert not files(place, ".heap")


def test_in_a_group_that_dies_as_a_whole_nothing_is_dared(place: Place, grouped: list[str]) -> None:
    """With 70 MiB left, a heap that may take as much is not walked: an OOM kill would end the program too."""
    err_of(
        place,
        GROUP
        + """
kept = bytearray(b"x" * (200 * MIB))
kernel_says(1000 * MIB, 930 * MIB, whole=1)
outlive.start(triggers=["left < 10 %: snapshot"])
seen(fired=1, failed=1)
assert "its tables may take" in triggers()["last_error"], triggers()
""",
        *grouped,
    )
    assert not files(place, ".heap")


def test_rss_as_a_share_of_the_limit(place: Place, grouped: list[str]) -> None:
    err_of(
        place,
        GROUP
        + """
kernel_says(300 * MIB, 100 * MIB)
outlive.start(triggers=["rss > 90 %: report", "rss > 10 %: report"])
seen(fired=1, failed=0)
assert triggers()["last"]["rule"] == "rss > 10 %: report"
kept = bytearray(b"x" * (300 * MIB))
seen(fired=2, failed=0)
""",
        *grouped,
    )


def test_where_there_is_no_limit_its_triggers_rest(place: Place, grouped: list[str]) -> None:
    err_of(
        place,
        GROUP
        + """
kernel_says("max", 995 * MIB)
outlive.start(triggers=["left < 99 %: log", "left < 1 GiB: log", "rss > 1 %: log", "rss > 1 MiB: report"])
seen(fired=1, failed=0)
""",
        *grouped,
    )


# ---- survivors ----


def test_what_runs_leave_behind_sets_it_off(place: Place) -> None:
    run(
        place,
        """
        kept = []
        said = ["survivors(export) > 30 MiB: report", "survivors(other) > 1: report"]
        outlive.start("32 KiB", triggers=said)
        def runs(number):
            for _ in range(number):
                with outlive.scope("export", tenant="a"):
                    kept.append(bytes(1 << 20))
        runs(20)
        before = until(lambda: own().timeline)
        until(lambda: len(own().timeline) > len(before) + 1)
        assert triggers()["fired"] == 0
        runs(20)
        seen(fired=1, failed=0)
        assert 30 << 20 < triggers()["last"]["value_bytes"] < 50 << 20, triggers()
        """,
    )


def test_what_open_runs_hold_are_no_survivors(place: Place) -> None:
    run(
        place,
        """
        from outlive.capture import sampling
        from outlive.capture.scope_survivors import Survivors
        outlive.start("32 KiB")
        survivors = Survivors(sampling.recording_path())
        assert survivors.at_most("export") is survivors.exactly("export") is None
        kept = []
        def is_about(value, expected):
            assert abs(value - expected) <= 0.1 * expected + 100_000, (value, expected)
        with outlive.scope("export", tenant="a"):
            kept += [bytes(100_000) for _ in range(100)]
        is_about(survivors.exactly("export"), 10_000_000)
        with outlive.scope("export"):
            passing = [bytes(100_000) for _ in range(400)]
            with outlive.scope("part"):
                more = [bytes(100_000) for _ in range(200)]
                is_about(survivors.at_most("export"), 50_000_000)
                is_about(survivors.exactly("export"), 10_000_000)
                is_about(survivors.exactly("part"), 0)
        is_about(survivors.exactly("export"), 50_000_000)
        is_about(survivors.exactly("part"), 20_000_000)
        del passing
        is_about(survivors.exactly("export"), 10_000_000)
        """,
    )


def test_more_open_runs_than_can_be_told_apart_are_not_known(place: Place) -> None:
    run(
        place,
        """
        from outlive.capture import sampling, scopes
        from outlive.capture.core import native
        from outlive.capture.scope_survivors import Survivors
        outlive.start()
        survivors = Survivors(sampling.recording_path())
        row = scopes.row("export")
        began = [native.run_begin(row) for _ in range(3000)]
        assert survivors.exactly("export") is None
        for each in began:
            native.run_end(each)
        assert survivors.exactly("export") == 0
        """,
    )


# ---- growth ----


def test_steady_growth_sets_it_off(place: Place) -> None:
    run(
        place,
        """
        kept = []
        def grow():
            kept.append(bytearray(b"x" * 200_000))
            time.sleep(0.01)
            return triggers().get("fired")
        outlive.start(triggers=["growth(10 s) > 1 GiB/h: report", "growth(10 s) > 100000 GiB/h: report"])
        until(grow)
        assert triggers()["last"]["value_bytes"] > 1 << 30
        assert triggers()["fired"] == 1
        """,
    )
