from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from app.db.engine import open_engine
from app.db.tables import export_job
from app.jobs.job import Job, State
from app.jobs.store import MAX_ATTEMPTS, JobStore


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with open_engine(tmp_path / "exports.sqlite") as engine:
        yield engine


@pytest.fixture
def jobs(engine: Engine) -> JobStore:
    return JobStore(engine)


def _claimed(jobs: JobStore) -> Job:
    jobs.add("acme", "u1")
    job = jobs.claim()
    assert job is not None
    return job


def _now(jobs: JobStore, job: Job) -> Job:
    found = jobs.get(job.tenant_id, job.id)
    assert found is not None
    return found


def test_an_empty_queue_has_nothing_to_claim(jobs: JobStore) -> None:
    assert jobs.claim() is None


def test_a_foreign_job_is_unknown(jobs: JobStore) -> None:
    job = jobs.add("acme", "u1")
    assert jobs.get("umbrella", job.id) is None
    assert jobs.get("acme", "no such id") is None
    assert jobs.get("acme", job.id) == job
    assert jobs.newest("umbrella", 10) == []


def test_a_state_that_is_none_is_refused(jobs: JobStore, engine: Engine) -> None:
    job = jobs.add("acme", "u1")
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(export_job.update().where(export_job.c.id == job.id).values(state="lost"))


def test_first_come_first_served(jobs: JobStore) -> None:
    added = [jobs.add("acme", f"u{number}").id for number in range(5)]
    claimed = [jobs.claim() for _ in added]
    assert [job and job.id for job in claimed] == added


def test_newest_first_up_to_the_limit(jobs: JobStore) -> None:
    added = [jobs.add("acme", f"u{number}").id for number in range(5)]
    assert [job.id for job in jobs.newest("acme", 3)] == added[:1:-1]


def test_no_two_threads_get_the_same_job(jobs: JobStore) -> None:
    added = {jobs.add("acme", "u1").id for _ in range(60)}
    with ThreadPoolExecutor(8) as threads:
        claimed = [job.id for job in threads.map(lambda _: jobs.claim(), range(80)) if job]
    assert len(claimed) == 60
    assert set(claimed) == added


def test_done_tells_what_was_written(jobs: JobStore) -> None:
    job = _claimed(jobs)
    assert (job.state, job.attempts, job.rows, job.finished_at) == (State.RUNNING, 1, None, None)
    jobs.complete(job.id, rows=3, size_bytes=99)
    done = _now(jobs, job)
    assert (done.state, done.rows, done.bytes, done.error) == (State.DONE, 3, 99, None)
    assert done.started_at is not None
    assert done.finished_at is not None
    assert done.created_at <= done.started_at <= done.finished_at


def test_an_end_is_final(jobs: JobStore) -> None:
    job = _claimed(jobs)
    jobs.fail(job.id, "disk full")
    jobs.complete(job.id, rows=3, size_bytes=99)
    jobs.release(job.id)
    failed = _now(jobs, job)
    assert (failed.state, failed.error, failed.rows) == (State.FAILED, "disk full", None)


def test_what_a_crash_left_running_is_queued_again(jobs: JobStore) -> None:
    running = _claimed(jobs)
    done = _claimed(jobs)
    jobs.complete(done.id, 0, 0)
    queued = jobs.add("acme", "u1")
    jobs.recover()
    assert [_now(jobs, job).state for job in (running, done, queued)] == ["queued", "done", "queued"]
    again = jobs.claim()
    assert again is not None
    assert (again.id, again.attempts) == (running.id, 2)


def test_a_job_that_takes_the_service_down_is_given_up(jobs: JobStore) -> None:
    job = jobs.add("acme", "u1")
    for _ in range(MAX_ATTEMPTS):
        assert jobs.claim() is not None
        jobs.recover()
    assert jobs.claim() is None
    failed = _now(jobs, job)
    assert failed.state is State.FAILED
    assert failed.error == "the service stopped unexpectedly during this export 3 times"


def test_an_orderly_stop_does_not_count_against_a_job(jobs: JobStore) -> None:
    job = jobs.add("acme", "u1")
    for _ in range(MAX_ATTEMPTS + 1):
        assert jobs.claim() is not None
        jobs.release(job.id)
    assert _now(jobs, job) == job


def test_a_new_process_finds_the_jobs(jobs: JobStore, tmp_path: Path) -> None:
    job = jobs.add("acme", "u1")
    with open_engine(tmp_path / "exports.sqlite") as other:
        assert JobStore(other).get("acme", job.id) == job
