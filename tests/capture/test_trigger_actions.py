"""Programs that are past a bound: the files and the log, what fails, and that they don't notice."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from outlive.heap.snapshot import Snapshot
from outlive.recording import heaps, reader
from tests.capture.recorded import PRELUDE, Place
from tests.capture.triggered import AROUND, err_of, files, run, start


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return Place(tmp_path)


# ---- snapshot and report ----


def test_after_kill_nine_the_heap_and_the_copy_are_there(place: Place) -> None:
    child = start(
        place,
        """
        class Kept: pass
        kept = [Kept() for _ in range(5000)]
        outlive.start(triggers=["rss > 1 MiB: report, snapshot"])
        seen(fired=1, failed=0)
        print("ready", flush=True)
        input()
        """,
    )
    child.kill()
    child.communicate()
    (recording,), (heap,), (copy,) = (files(place, end) for end in (".outlive", ".heap", ".recording"))
    recorded = reader.read(recording)
    assert heaps.of_recording(recording, recorded) == [heap]
    assert reader.read(copy).process.pid == child.pid
    counts = {total.name: total.count for total in Snapshot(heap).census(limit=None)}
    assert counts["__main__.Kept"] == 5000
    said = subprocess.check_output(
        [sys.executable, "-m", "outlive", "postmortem", str(recording)], text=True, env=place.environment
    )
    assert f"outlive census {heap}" in said
    document = subprocess.check_output(
        [sys.executable, "-m", "outlive", "postmortem", "--json", str(recording)], env=place.environment
    )
    assert json.loads(document)["heaps"] == [str(heap)]


def test_the_timeline_goes_on_while_a_snapshot_is_written(place: Place) -> None:
    run(
        place,
        """
        from outlive.capture import snapshot
        def slow(path, *, progress, **_options):
            had = len(own().timeline)
            end = time.monotonic() + 60
            while len(own().timeline) < had + 2 and time.monotonic() < end:
                progress(1)
                time.sleep(0.05)
            assert len(own().timeline) >= had + 2
            open(path, "w").close()
        snapshot.take = slow
        outlive.start(triggers=["rss > 1 MiB: snapshot"])
        seen(fired=1, failed=0)
        """,
    )


def test_a_restart_loop_gets_one_snapshot(place: Place) -> None:
    script = place.path / "service.py"
    script.write_text(
        PRELUDE
        + AROUND
        + 'outlive.start(triggers=["rss > 1 MiB: snapshot, report"])\n'
        + 'until(lambda: triggers().get("fired") or triggers().get("held_back"))\n'
        + 'print(triggers()["fired"], triggers()["held_back"], flush=True)\n'
        + "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    said = [
        subprocess.run(
            [sys.executable, script], env=place.environment, capture_output=True, text=True, check=False
        ).stdout
        for _ in range(3)
    ]
    assert said == ["1 0\n", "0 1\n", "0 1\n"]
    assert [len(files(place, end)) for end in (".heap", ".recording", ".outlive")] == [1, 1, 3]


def test_forked_workers_share_the_count(place: Place) -> None:
    run(
        place,
        """
        outlive.start(triggers=["rss > 1 MiB: snapshot"])
        seen(fired=1)
        for _ in range(2):
            if (pid := os.fork()) == 0:
                seen(rules=1, fired=0, held_back=1)
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
        """,
    )
    assert len(files(place, ".heap")) == 1


def test_the_newest_files_are_kept_only(place: Place) -> None:
    folder = place.path / "recordings"
    folder.mkdir(mode=0o700)
    names = [f"77-20200101T00000{number}.20200101T00000{number}" for number in range(9)]
    for number, name in enumerate(names):
        for ending in (".heap", ".recording"):
            file = folder / f"{name}{ending}"
            file.touch()
            os.utime(file, (1_577_836_800 + number,) * 2)
    part = folder / f"{names[0]}.heap.77.part"
    mine = [folder / "before.heap", folder / "notes.2020.heap"]
    for file in (part, *mine):
        file.touch()
        os.utime(file, (1_000_000_000,) * 2)
    run(place, 'outlive.start(triggers=["rss > 1 MiB: snapshot, report"]); seen(fired=1, failed=0)')
    assert not part.exists()
    assert all(file.exists() for file in mine)
    old = [file.name for file in files(place, ".heap") if file.name.startswith("77-")]
    assert old == [f"{name}.heap" for name in names[-2:]]
    assert len(files(place, ".heap")) == 3 + len(mine)
    assert len(files(place, ".recording")) == 8


def test_a_heap_goes_to_a_disk_where_the_recording_is_in_memory(place: Place) -> None:
    kinds = [
        subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=False).stdout
        for folder in ("/dev/shm", place.path)  # noqa: S108 - what it is about
    ]
    if kinds[0] != "tmpfs\n" or kinds[1] == "tmpfs\n":
        pytest.skip("not both a disk and a folder in memory here")
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        run(
            place,
            f"""
            os.environ["OUTLIVE_RECORDING"] = {str(folder)!r}
            outlive.start(triggers=["rss > 1 MiB: snapshot"])
            seen(fired=1, failed=0)
            """,
        )
        (heap,) = (place.path / f"outlive-{os.geteuid()}").glob("*.heap")
        (recording,) = folder.glob("*.outlive")
        assert heaps.of_recording(recording, reader.read(recording)) == [heap]
    finally:
        shutil.rmtree(folder)


# ---- what fails ----


def test_on_a_full_disk_the_rest_is_done_and_counted(place: Place) -> None:
    """A limit of files' size stands in for a disk that is full."""
    run(
        place,
        """
        import logging, resource
        came = []
        logging.getLogger("outlive").addFilter(lambda record: came.append(record.getMessage()))
        outlive.start(triggers=["rss > 200 MiB: snapshot, report, log"])
        until(lambda: triggers().get("rules"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        kept = bytearray(b"x" * 250_000_000)
        seen(fired=1, failed=2)
        assert "too large" in triggers()["last_error"], triggers()
        assert "snapshot" not in triggers() and "report" not in triggers()
        assert len(came) == 1
        before = len(own().timeline)
        until(lambda: len(own().timeline) > before + 1)
        """,
    )
    assert not [*files(place, ".heap"), *files(place, ".recording"), *files(place, ".part")]


def test_on_a_small_disk_the_program_and_its_recording_go_on(place: Place) -> None:
    """All there is, is a disk of 9 MiB: the recording takes 3 of them."""
    words = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o size=9m none "$TMPDIR"; exec "$@"', "sh"]
    if subprocess.run([*words, "true"], env=place.environment, capture_output=True, check=False).returncode:
        pytest.skip("can't make namespaces here")
    said = err_of(
        place,
        """
        import logging
        shape = os.statvfs(os.environ["TMPDIR"])
        assert shape.f_blocks * shape.f_frsize == 9 << 20
        outlive.start(recording=os.environ["OUTLIVE_RECORDING"], size="3 MiB",
                      triggers=["rss > 1 MiB: snapshot, report, report, log"])
        seen(fired=1, failed=2)
        assert "1 MiB" not in triggers()["last_error"]
        assert shape.f_bavail
        before = len(own().timeline)
        until(lambda: len(own().timeline) > before + 1)
        assert not list(pathlib.Path(os.environ["OUTLIVE_RECORDING"]).glob("*.part"))
        """,
        *words,
    )
    assert said.startswith("trigger rss > 1 MiB at ")


def test_where_nothing_can_be_counted_only_words_are_made(place: Place) -> None:
    run(
        place,
        """
        import logging
        came = []
        logging.getLogger("outlive").addFilter(lambda record: came.append(record.getMessage()))
        folder = pathlib.Path(os.environ["OUTLIVE_RECORDING"])
        (folder / f"outlive-triggers-{os.geteuid()}").mkdir(parents=True)
        folder.chmod(0o700)
        outlive.start(triggers=["rss > 1 MiB: snapshot, command touch made, log"])
        seen(fired=1)
        assert triggers()["failed"] >= 3, triggers()
        assert len(came) == 1
        assert not list(folder.glob("*.heap"))
        assert not pathlib.Path("made").exists()
        """,
    )


def test_a_recording_removed_under_it_does_not_matter_to_the_program(place: Place) -> None:
    run(
        place,
        """
        import shutil
        from outlive.capture.trigger_watch import Watch
        looks, look = [], Watch.look
        Watch.look = lambda self: looks.append(look(self)) or looks[-1]
        outlive.start(triggers=["rss > 300 MiB: snapshot, report", "survivors(x) > 1: report"])
        until(lambda: looks)
        shutil.rmtree(os.environ["OUTLIVE_RECORDING"])
        kept = bytearray(b"x" * 350_000_000)
        said = until(lambda: looks[-1]["triggers"]["fired"] and looks[-1]["triggers"])
        assert said["failed"] == 3, said  # the count, and both files
        """,
    )


# ---- the log ----


def test_the_log_has_it_and_threading_knows_no_further_thread(place: Place) -> None:
    run(
        place,
        """
        import logging, threading
        records = []
        class Keep(logging.Handler):
            def emit(self, record):
                threading.current_thread()
                records.append(record)
        logging.getLogger().addHandler(Keep())
        outlive.start(triggers=["rss > 1 MiB for 1 s: log"])
        record, = until(lambda: records)
        seen(fired=1, failed=0)
        assert (record.name, record.levelname, record.threadName) == ("outlive", "WARNING", "outlive")
        assert record.getMessage().startswith("trigger rss > 1 MiB for 1 s at "), record.getMessage()
        assert [thread.name for thread in threading.enumerate()] == ["MainThread"]
        """,
    )


def test_a_handler_that_raises_is_counted_and_the_next_action_done(place: Place) -> None:
    run(
        place,
        """
        import logging
        class Broken(logging.Handler):
            def handle(self, record):
                raise RuntimeError("no room")
        logging.getLogger().addHandler(Broken())
        outlive.start(triggers=["rss > 1 MiB: log, report"])
        seen(fired=1, failed=1, last_error="log: RuntimeError: no room")
        assert triggers()["report"].endswith(".recording")
        """,
    )


# ---- how they are asked for ----


def test_the_environment_may_name_them(place: Place) -> None:
    place.environment["OUTLIVE_TRIGGERS"] = "rss > 1 MiB: report; left < 1 %: log"
    run(place, "outlive.start(); seen(rules=2, fired=1)")
    run(place, "outlive.start(triggers=[]); until(lambda: own().timeline); assert not triggers()")


def test_a_mistake_in_the_environment_is_one_line(place: Place) -> None:
    said = err_of(
        place, "outlive.start(); until(lambda: own().timeline)", OUTLIVE_TRIGGERS="rss > 1 MiB: dump"
    )
    assert said.count("\n") == 1
    assert said.startswith(
        "outlive: OUTLIVE_TRIGGERS: 'rss > 1 MiB: dump' is no trigger: 'dump' is nothing to do"
    )


def test_a_mistake_of_the_program_is_an_error_and_nothing_starts(place: Place) -> None:
    run(
        place,
        """
        for bad in (["rss > 1 MiB: dump"], "rss > 1 MiB: log", [None]):
            try:
                outlive.start(triggers=bad)
            except outlive.OutliveError as error:
                assert error.hint
            else:
                raise AssertionError
        assert not recordings()
        """,
    )
