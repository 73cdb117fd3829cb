"""The threads that empty the queue.

Threads are enough for now: an export spends its time in SQLite and `write`, which let other threads run.
Worker processes will need leases, because one can then die without the others; until there are some,
`app.jobs.lock` sees to it that one process owns the queue.
"""

import logging
import os
import sqlite3
from collections.abc import Callable
from threading import Event, Semaphore, Thread
from typing import Self

from sqlalchemy.exc import SQLAlchemyError

from app.jobs.export import StoppedError, Written
from app.jobs.job import Job
from app.jobs.store import JobStore

_RETRY_SECONDS = 1.0

_logger = logging.getLogger(__name__)


class Workers:
    """`count` threads, each running one job at a time: however long the queue, this much is done at once."""

    def __init__(self, store: JobStore, run: Callable[[Job, Event], Written], count: int) -> None:
        self._store = store
        self._run = run
        self._stopping = Event()
        self._queued = Semaphore(0)
        self._threads = [Thread(target=self._work, name=f"export-{number}") for number in range(count)]

    def __enter__(self) -> Self:
        """Start working, first on what the queue already holds."""
        for thread in self._threads:
            thread.start()
        return self

    def wake(self) -> None:
        """Say that a job was queued."""
        self._queued.release()

    def __exit__(self, *_error: object) -> None:
        """Put running jobs back and wait until every thread has ended."""
        self._stopping.set()
        self._queued.release(len(self._threads))
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                job = self._store.claim()
            except SQLAlchemyError:
                _logger.exception("cannot read the export queue; trying again")
                self._stopping.wait(_RETRY_SECONDS)
                continue
            if job:
                self._settle(self._attempt(job))
            else:
                self._queued.acquire()

    def _attempt(self, job: Job) -> Callable[[], None]:
        """Run the job and return the write that records how it ended."""
        try:
            written = self._run(job, self._stopping)
        except StoppedError:
            return lambda: self._store.release(job.id)
        except Exception as error:
            _logger.exception("export %s failed", job.id)
            reason = _explain(error)
            return lambda: self._store.fail(job.id, reason)
        return lambda: self._store.complete(job.id, written.rows, written.bytes)

    def _settle(self, record: Callable[[], None]) -> None:
        """Record a job's end, later if the database cannot take it now (a full disk, a long lock)."""
        while True:
            try:
                return record()
            except SQLAlchemyError:
                _logger.exception("cannot record how an export ended; trying again")
            if self._stopping.wait(_RETRY_SECONDS):
                return None  # the job is still "running": the next start requeues it


def _explain(error: Exception) -> str:
    """Say what failed to the job's owner, without the server's paths; the log has the rest."""
    match error:
        case OSError(errno=int(number)):
            return f"cannot write the file: {os.strerror(number)}"
        case sqlite3.Error():
            return f"cannot read the activity: {error}"
        case _:
            return "internal error"
