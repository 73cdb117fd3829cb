"""A process that records: its notes and timeline, its forks, its death, and folders that go away."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import outlive
from outlive.capture import notes
from outlive.recording import processes
from tests.capture.recorded import Place, until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


READY = """
outlive.start()
print("ready", flush=True)
input()
"""


def test_a_reader_sees_who_records_and_how_it_fares(place: Place) -> None:
    child = place.start(READY)
    (recorded,) = until(lambda: [each for each in place.recordings().values() if len(each.timeline) > 1])
    process, said = recorded.process, recorded.process.notes
    assert (process.pid, process.parent_pid, process.state) == (child.pid, 0, "running")
    assert processes.is_live(recorded)
    assert processes.is_here(recorded)
    assert said["program"] == "-c"
    assert said["python"] == sys.version.split()[0]
    assert said["executable"] == sys.executable
    assert said["outlive"] == outlive.__version__
    assert (said["native"], said["raised"]) == (False, "")
    assert isinstance(said["cgroup"], dict)
    assert {"path", "limit", "oom_kills"} == said["cgroup"].keys()
    assert recorded.interval_bytes == 128 << 10
    first, second = recorded.timeline[:2]
    assert first.rss
    assert second.uptime > first.uptime >= 0
    assert first.threads == 1
    assert first.tasks is None
    assert recorded.breakdown is not None
    assert 0.5 < recorded.breakdown.rss / first.rss < 2
    child.communicate("\n")


def test_arguments_are_not_noted(place: Place) -> None:
    script = place.path / "job.py"
    script.write_text("import outlive; outlive.start()\n")
    subprocess.run([sys.executable, script, "--password=secret"], env=place.environment, check=True)
    ((_, recorded),) = place.recordings().items()
    assert recorded.process.notes["program"] == str(script)
    assert recorded.process.state == "exited"
    data = b"".join(file.read_bytes() for file in (place.path / "recordings").iterdir())
    assert b"secret" not in data


def test_a_module_is_noted_by_its_name(place: Place) -> None:
    package = place.path / "service"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import outlive; outlive.start()\n")
    subprocess.run(
        [sys.executable, "-m", "service", "secret"], cwd=place.path, env=place.environment, check=True
    )
    ((_, recorded),) = place.recordings().items()
    assert recorded.process.notes["program"] == "service"


def test_after_kill_nine_all_is_there(place: Place) -> None:
    child = place.start("""
        outlive.start("16 KiB")
        kept = [bytes(100_000) for _ in range(100)]
        until(lambda: own().timeline)
        print("ready", flush=True)
        input()
    """)
    child.kill()
    child.communicate()
    recorded = place.recordings()[child.pid]
    assert recorded.process.state == "running"  # it had no time to say otherwise
    assert not processes.is_live(recorded)
    assert recorded.timeline
    assert recorded.process.notes["program"] == "-c"
    held = sum(each.size for each in recorded.samples)
    assert 9_000_000 <= held <= 12_000_000


def test_stop_looks_a_last_time_and_start_makes_another_file(place: Place) -> None:
    place.run("""
        outlive.start()
        outlive.start("128 KiB")  # runs already: nothing
        assert len(recordings()) == 1
        kept = bytearray(b"x" * 50_000_000)
        outlive.stop()
        first, = recordings()
        assert first.process.state == "stopped"
        assert first.timeline[-1].rss > 50_000_000
        assert first.breakdown.rss > 50_000_000
        outlive.start("64 KiB")
        assert sorted(each.process.state for each in recordings()) == ["running", "stopped"]
        assert {each.interval_bytes for each in recordings()} == {64 << 10, 128 << 10}
    """)


def test_why_the_interval_was_raised_is_noted(place: Place) -> None:
    place.run("""
        outlive.start(1, size="3 MiB")
        kept = [bytes(1000) for _ in range(300_000)]
        outlive.stop()
        recorded, = recordings()
        assert recorded.current_interval_bytes > recorded.interval_bytes == 1
        assert recorded.process.notes["raised"] in ("live samples filled the table", "samples came too fast")
    """)


# ---- places ----


def test_a_place_that_was_asked_for_is_used_or_refused(place: Place) -> None:
    place.run("""
        import pathlib
        from outlive.errors import OutliveError, UsageError
        here = pathlib.Path(os.environ["OUTLIVE_RECORDING"]).parent
        for bad in ("/dev/null/x", here / "no" / "mine.outlive"):
            try:
                outlive.start(recording=bad)
            except OutliveError as error:
                assert "can't record to" in str(error)
            else:
                raise AssertionError(bad)
            outlive.start(recording=here / "mine.outlive")  # that failed, so it did not run
            assert reader.read(here / "mine.outlive").process.pid == os.getpid()
            outlive.stop()
            os.unlink(here / "mine.outlive")
        outlive.start(recording=here / "folder")
        outlive.stop()
        assert len(list((here / "folder").glob("*.outlive"))) == 1
        assert not recordings()
        for bad in ("1 KiB", "2 GiB", "huge"):
            try:
                outlive.start(size=bad)
            except UsageError:
                continue
            raise AssertionError(bad)
        outlive.start(size=5_000_000)
        file, = pathlib.Path(os.environ["OUTLIVE_RECORDING"]).iterdir()
        assert 5_000_000 <= file.stat().st_size < 5_010_000
    """)


def test_no_place_at_all_is_one_line_and_sampling_goes_on(tmp_path: Path) -> None:
    program = (
        "import outlive\n"
        "from outlive.model import folders\n"
        "folders.recording_folders = lambda *_: ['/dev/null/x', '/proc/y']\n"
        "outlive.start(1)\n"
        "kept = bytearray(1_000_000)\n"
        "assert any(site.line == 5 for site in outlive.sites(None))\n"
        "outlive.stop()\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert child.returncode == 0, child.stderr
    (line,) = child.stderr.splitlines()
    assert line.startswith("outlive: can't record to a file: /dev/null/x: Not a directory, /proc/y: ")
    assert line.endswith("; sampling goes on in memory")


def test_a_folder_removed_under_it_does_not_matter_to_the_program(place: Place) -> None:
    child = place.start(READY)
    shutil.rmtree(place.path / "recordings")
    _, err = child.communicate("\n")
    assert (child.returncode, err) == (0, "")


def test_a_program_that_closes_all_descriptors_and_changes_its_root_of_paths(place: Place) -> None:
    place.run("""
        outlive.start()
        os.closerange(3, 256)
        os.chdir("/")
        held = os.open("/dev/null", os.O_RDONLY)
        before = len(own().timeline)
        until(lambda: len(own().timeline) > before + 1)
        assert os.fstat(held).st_rdev == os.stat("/dev/null").st_rdev
    """)


# ---- forks ----


def test_a_forked_child_has_a_recording_of_its_own_and_so_has_its_child(place: Place) -> None:
    place.run("""
        outlive.start("16 KiB")
        before = [bytes(100_000) for _ in range(50)]
        if (pid := os.fork()) == 0:
            until(lambda: own() and own().timeline)
            if (pid := os.fork()) == 0:
                kept = [bytes(100_000) for _ in range(50)]
                until(lambda: own() and own().timeline)
                os._exit(7)
            assert os.waitpid(pid, 0)[1] == 7 << 8
            os._exit(3)
        assert os.waitpid(pid, 0)[1] == 3 << 8
        mine, = (each for each in recordings() if each.process.pid == os.getpid())
        child, = (each for each in recordings() if each.process.parent_pid == os.getpid())
        grandchild, = (each for each in recordings() if each.process.parent_pid == child.process.pid)
        assert (mine.process.state, mine.process.parent_pid) == ("running", 0)
        assert (child.process.state, child.process.status) == ("exited", 3)
        assert (grandchild.process.state, grandchild.process.status) == ("exited", 7)
        assert len({each.process.notes["start_ticks"] for each in recordings()} | {0}) >= 2
        # One block in 450 of that size is not sampled. What was alive at the fork is the child's too.
        held = [sum(block.size == 100_033 for block in each.samples) for each in (mine, child, grandchild)]
        assert 45 <= held[1] <= held[0] <= 50, held
        assert 90 <= held[2] <= 100, held
        gc.collect()
        have = len(mine.timeline)
        until(lambda: len(own().timeline) > have)
    """)


def test_children_that_end_or_run_another_program_at_once_leave_nothing(place: Place) -> None:
    place.run("""
        import subprocess
        outlive.start()
        for _ in range(10):
            if (pid := os.fork()) == 0:
                os._exit(0)
            os.waitpid(pid, 0)
            if (pid := os.fork()) == 0:
                os.execv("/bin/true", ["true"])
            os.waitpid(pid, 0)
            subprocess.run(["/bin/true"], preexec_fn=lambda: None, check=True)
            subprocess.run(["/bin/true"], check=True)
        folder = os.environ["OUTLIVE_RECORDING"]
        assert len(os.listdir(folder)) == 1, os.listdir(folder)
    """)


@pytest.mark.parametrize("named", ["mine.outlive", "folder"])
def test_children_of_a_process_with_a_place_of_its_own_record_beside_it(place: Place, named: str) -> None:
    place.run(f"""
        here = pathlib.Path(os.environ["OUTLIVE_RECORDING"]).parent / {named!r}
        outlive.start(recording=here)
        folder = here if here.is_dir() else here.parent
        if (pid := os.fork()) == 0:
            until(lambda: len(list(folder.glob("*.outlive"))) == 2)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert {{reader.read(file).process.pid for file in folder.glob("*.outlive")}} == {{pid, os.getpid()}}
        assert not recordings()
    """)


def test_a_child_after_stop_records_nothing(place: Place) -> None:
    place.run("""
        outlive.start()
        outlive.stop()
        if (pid := os.fork()) == 0:
            assert os.stat("/proc/self/task").st_nlink == 3
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert len(recordings()) == 1
    """)


def test_workers_of_multiprocessing_record(place: Place) -> None:
    place.run("""
        import multiprocessing, warnings
        warnings.simplefilter("ignore")
        def work(_):
            until(own)
            return os.getpid()
        outlive.start()
        with multiprocessing.get_context("fork").Pool(2) as pool:
            pids = set(pool.map(work, range(8), chunksize=1))
            pool.close()
            pool.join()
        assert pids <= {each.process.pid for each in recordings()}
        assert {each.process.state for each in recordings() if each.process.pid in pids} == {"exited"}
    """)


def test_stop_in_a_child_leaves_the_parents_recording_alone(place: Place) -> None:
    place.run("""
        outlive.start()
        if (pid := os.fork()) == 0:
            until(own)
            outlive.stop()
            assert own().process.state == "stopped"
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert own().process.state == "running"
    """)


# ---- the same pid twice ----


def test_processes_of_the_same_pid_in_different_namespaces(place: Place) -> None:
    words = ["unshare", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("can't make namespaces here")
    program = "import outlive, os; outlive.start(); print(os.getpid(), flush=True); input()"
    children = [
        subprocess.Popen(
            [*words, sys.executable, "-c", program],
            env=place.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [child.stdout.readline() for child in children if child.stdout] == ["1\n", "1\n"]
    place.run("outlive.start()")  # which may prune
    files = list((place.path / "recordings").iterdir())
    assert sum(file.name.startswith("1-") for file in files) == 2
    for child in children:
        child.communicate("\n")


# ---- sub-interpreters ----


def test_a_sub_interpreter_is_refused_with_a_clear_word(place: Place) -> None:
    place.run(r"""
        if sys.version_info >= (3, 13):
            import _interpreters as interpreters
        else:
            import _xxsubinterpreters as interpreters
        program = "import outlive\ntry: outlive.start()\n"
        program += "except outlive.OutliveError as why: assert 'main interpreter only' in str(why)\n"
        program += "else: raise AssertionError"
        answer = interpreters.run_string(interpreters.create(), program)
        assert answer is None, answer
        assert not pathlib.Path(os.environ["OUTLIVE_RECORDING"]).exists()
    """)


def test_notes_of_any_text_are_json() -> None:
    texts = ['"\\', "\n\x00\x1f\x7f\x85", "é…", "\N{GRINNING FACE}\U000e0001", "\udc80", "x" * 5000]
    said = {
        "texts": {str(i): text for i, text in enumerate(texts)},
        "none": None,
        "yes": True,
        "half": 0.5,
        "n": -3,
    }
    found = json.loads(notes.to_json(said))
    assert [found["texts"][str(i)] for i in range(5)] == texts[:5]
    assert found["texts"]["5"] == "…" + "x" * 499
    assert (found["none"], found["yes"], found["half"], found["n"]) == (None, True, 0.5, -3)
