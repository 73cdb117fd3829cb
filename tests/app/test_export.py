from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Event

import pytest

from app.jobs.export import StoppedError, write_export
from app.jobs.job import Job, State
from tests.app.activity import big_rows, insert, nasty_rows, read_back, stored
from tests.app.child import run_python

_JOB = Job(
    id="0123456789abcdef",
    tenant_id="acme",
    user_id="u1",
    state=State.RUNNING,
    attempts=1,
    rows=None,
    bytes=None,
    error=None,
    created_at="2024-01-01T00:00:00+00:00",
    started_at="2024-01-01T00:00:00+00:00",
    finished_at=None,
)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "files"
    path.mkdir()
    return path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "exports.sqlite"
    insert(path, "acme", "u1", nasty_rows() + big_rows(200, 5_000))
    return path


def test_stopping_gives_up_and_leaves_nothing(database: Path, directory: Path) -> None:
    stopping = Event()
    stopping.set()
    with pytest.raises(StoppedError):
        write_export(_JOB, database, directory, stopping)
    assert list(directory.iterdir()) == []


def test_every_cell_is_that_of_the_database(database: Path, directory: Path) -> None:
    insert(database, "umbrella", "u1", [("2024", "foreign", "{}")])
    written = write_export(_JOB, database, directory, Event())
    (path,) = directory.iterdir()
    rows = stored(database, "acme", "u1")
    assert path.name == "0123456789abcdef.csv"
    assert read_back(path.read_bytes()) == rows
    assert (written.rows, written.bytes) == (len(rows), path.stat().st_size)


def test_a_user_without_activity_has_a_header(database: Path, directory: Path) -> None:
    written = write_export(replace(_JOB, user_id="u2"), database, directory, Event())
    assert (directory / _JOB.file_name).read_bytes() == b"timestamp,action,details\r\n"
    assert (written.rows, written.bytes) == (0, 26)


def test_exports_of_one_user_at_the_same_time_do_not_clash(database: Path, directory: Path) -> None:
    together = Barrier(4)

    def run(number: int) -> None:
        together.wait()
        write_export(replace(_JOB, id=f"job{number % 2}"), database, directory, Event())

    with ThreadPoolExecutor(4) as threads:  # two of them even are the same job, as after a lost lock
        list(threads.map(run, range(4)))
    assert sorted(path.name for path in directory.iterdir()) == ["job0.csv", "job1.csv"]
    for path in directory.iterdir():
        assert read_back(path.read_bytes()) == stored(database, "acme", "u1")


_PEAK = """
import sys
from dataclasses import replace
from pathlib import Path
from threading import Event
from app.jobs.export import write_export
from tests.app.test_export import _JOB

database, directory = map(Path, sys.argv[1:])
written = write_export(_JOB, database, directory, Event())
# Not ru_maxrss: that one starts at what the parent had when it forked.
peak_kb = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(written.rows, written.bytes, peak_kb)
"""


def test_memory_does_not_grow_with_the_rows(tmp_path: Path, directory: Path) -> None:
    def export(rows: int) -> tuple[int, int]:
        database = tmp_path / f"{rows}.sqlite"
        insert(database, "acme", "u1", big_rows(rows, 5_000))
        output = run_python(_PEAK, database, directory)
        assert output.returncode == 0, output.stderr
        written_rows, written_bytes, peak_kb = map(int, output.stdout.split())
        assert written_rows == rows
        return written_bytes, peak_kb * 1024

    small_bytes, small_peak = export(2_000)
    large_bytes, large_peak = export(20_000)
    grown = large_bytes - small_bytes
    assert grown > 90_000_000
    assert large_peak - small_peak < grown / 50


@pytest.mark.limit_growth("10 KiB", runs=20)
@pytest.mark.limit_peak("8 MB")
def test_an_export_takes_little_memory_and_leaves_none_behind(database: Path, directory: Path) -> None:
    assert write_export(_JOB, database, directory, Event()).bytes > 500_000
