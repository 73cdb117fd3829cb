import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Event, Lock

import pytest
from sqlalchemy.exc import OperationalError

from app.db.engine import open_engine
from app.jobs import worker
from app.jobs.export import StoppedError, Written
from app.jobs.job import Job, State
from app.jobs.store import JobStore
from app.jobs.worker import Workers

_PATIENCE = 60.0


class _Recorder(JobStore):
    """A store that says when a job has ended, and can fail to record it first."""

    def __init__(self, store: JobStore) -> None:
        super().__init__(store._engine)
        self.ended = Event()
        self.unwritable = 0

    def _end(self, job_id: str, **values: object) -> None:
        if self.unwritable:
            self.unwritable -= 1
            raise OperationalError("UPDATE export_job", {}, sqlite3.OperationalError("disk full"))
        super()._end(job_id, **values)
        self.ended.set()

    def wait(self) -> None:
        assert self.ended.wait(_PATIENCE)
        self.ended.clear()


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Recorder]:
    monkeypatch.setattr(worker, "_RETRY_SECONDS", 0.01)
    with open_engine(tmp_path / "exports.sqlite") as engine:
        yield _Recorder(JobStore(engine))


def _state(jobs: JobStore, job: Job) -> Job:
    found = jobs.get(job.tenant_id, job.id)
    assert found is not None
    return found


def _raise(error: Exception) -> Written:
    raise error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            OSError(28, "No space left on device", "/srv/secret/a.csv"),
            "cannot write the file: No space left on device",
        ),
        (
            sqlite3.DatabaseError("database disk image is malformed"),
            "cannot read the activity: database disk image is malformed",
        ),
        (KeyError("/srv/secret"), "internal error"),
        (MemoryError(), "internal error"),
    ],
)
def test_a_failure_is_told_without_the_servers_secrets(jobs: _Recorder, error: Exception, told: str) -> None:
    job = jobs.add("acme", "u1")
    with Workers(jobs, lambda _job, _stopping: _raise(error), 1):
        jobs.wait()
    failed = _state(jobs, job)
    assert (failed.state, failed.error) == (State.FAILED, told)


def test_a_worker_outlives_a_failure(jobs: _Recorder) -> None:
    first = jobs.add("acme", "bad")
    second = jobs.add("acme", "good")

    def run(job: Job, _stopping: Event) -> Written:
        return Written(1, 2) if job.user_id == "good" else _raise(RuntimeError("broken"))

    with Workers(jobs, run, 1):
        while _state(jobs, second).state is not State.DONE:
            jobs.wait()
    assert _state(jobs, first).state is State.FAILED


def test_an_end_that_cannot_be_recorded_is_recorded_later(jobs: _Recorder) -> None:
    job = jobs.add("acme", "u1")
    jobs.unwritable = 3
    with Workers(jobs, lambda _job, _stopping: Written(1, 2), 1):
        jobs.wait()
    assert (_state(jobs, job).state, _state(jobs, job).attempts) == (State.DONE, 1)


def test_a_queue_that_cannot_be_read_is_read_later(jobs: _Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = jobs.claim
    failures = iter([True, True])

    def unreadable_at_first() -> Job | None:
        if next(failures, False):
            raise OperationalError("SELECT", {}, sqlite3.OperationalError("locked"))
        return claim()

    monkeypatch.setattr(jobs, "claim", unreadable_at_first)
    job = jobs.add("acme", "u1")
    with Workers(jobs, lambda _job, _stopping: Written(1, 2), 1):
        jobs.wait()
    assert _state(jobs, job).state is State.DONE


def test_waking_an_idle_worker_runs_the_new_job(jobs: _Recorder) -> None:
    with Workers(jobs, lambda _job, _stopping: Written(1, 2), 1) as workers:
        for _ in range(3):
            job = jobs.add("acme", "u1")
            workers.wake()
            jobs.wait()
            assert _state(jobs, job).state is State.DONE


def test_as_many_at_once_as_there_are_workers_and_no_more(jobs: _Recorder) -> None:
    added = [jobs.add("acme", "u1") for _ in range(8)]
    together = Barrier(2, timeout=_PATIENCE)  # passed only by two jobs at a time: 8 jobs are 4 pairs
    lock = Lock()
    running = 0
    most = 0

    def run(_job: Job, _stopping: Event) -> Written:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait()
        with lock:
            running -= 1
        return Written(0, 0)

    with Workers(jobs, run, 2):
        while any(_state(jobs, job).state is not State.DONE for job in added):
            jobs.wait()
    assert most == 2


def test_stopping_puts_the_running_job_back(jobs: _Recorder) -> None:
    job = jobs.add("acme", "u1")
    waiting = jobs.add("acme", "u1")
    started = Event()

    def run(_job: Job, stopping: Event) -> Written:
        started.set()
        assert stopping.wait(_PATIENCE)
        raise StoppedError

    with Workers(jobs, run, 1):
        assert started.wait(_PATIENCE)
    assert (_state(jobs, job).state, _state(jobs, job).attempts) == (State.QUEUED, 0)
    assert _state(jobs, waiting) == waiting


def test_stopping_does_not_wait_for_a_dead_database(jobs: _Recorder) -> None:
    job = jobs.add("acme", "u1")
    jobs.unwritable = 10**9
    started = Event()

    def run(_job: Job, _stopping: Event) -> Written:
        started.set()
        return Written(0, 0)

    with Workers(jobs, run, 1):
        assert started.wait(_PATIENCE)
    assert _state(jobs, job).state is State.RUNNING
    jobs.unwritable = 0
    jobs.recover()
    assert _state(jobs, job).state is State.QUEUED
