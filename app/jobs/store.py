"""The queue: jobs as rows. Each change is one statement in its own transaction."""

from dataclasses import fields
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, RowMapping, func, select, update

from app.db.engine import now
from app.db.tables import export_job
from app.jobs.job import Job, State

# A job that was running at the last three crashes is taken for their cause.
MAX_ATTEMPTS = 3

_COLUMNS = [export_job.c[field.name] for field in fields(Job)]


class JobStore:
    """Every call blocks for one short transaction; safe from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, tenant_id: str, user_id: str) -> Job:
        """Queue an export. When this returns, the job is on disk."""
        values = {
            "id": uuid4().hex,
            "tenant_id": tenant_id,
            "user_id": user_id,
            "state": State.QUEUED,
            "created_at": now(),
        }
        statement = export_job.insert().values(values).returning(*_COLUMNS)
        with self._engine.begin() as connection:
            return _job(connection.execute(statement).mappings().one())

    def get(self, tenant_id: str, job_id: str) -> Job | None:
        """Return the tenant's job of that id; another tenant's job is as unknown as one that never was."""
        statement = select(*_COLUMNS).where(export_job.c.id == job_id, export_job.c.tenant_id == tenant_id)
        with self._engine.connect() as connection:
            row = connection.execute(statement).mappings().one_or_none()
        return _job(row) if row else None

    def newest(self, tenant_id: str, limit: int) -> list[Job]:
        """Return the tenant's last jobs, newest first."""
        statement = (
            select(*_COLUMNS)
            .where(export_job.c.tenant_id == tenant_id)
            .order_by(export_job.c.sequence.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [_job(row) for row in connection.execute(statement).mappings()]

    def claim(self) -> Job | None:
        """Take the oldest queued job for running, or None. No two callers get the same one."""
        oldest = (
            select(func.min(export_job.c.sequence))
            .where(export_job.c.state == State.QUEUED)
            .scalar_subquery()
        )
        statement = (
            update(export_job)
            .where(export_job.c.sequence == oldest)
            .values(state=State.RUNNING, attempts=export_job.c.attempts + 1, started_at=now())
            .returning(*_COLUMNS)
        )
        with self._engine.begin() as connection:
            row = connection.execute(statement).mappings().one_or_none()
        return _job(row) if row else None

    def complete(self, job_id: str, rows: int, size_bytes: int) -> None:
        """Set a running job done."""
        self._end(job_id, state=State.DONE, rows=rows, bytes=size_bytes, finished_at=now())

    def fail(self, job_id: str, error: str) -> None:
        """Set a running job failed; `error` is what its owner will read."""
        self._end(job_id, state=State.FAILED, error=error, finished_at=now())

    def release(self, job_id: str) -> None:
        """Put back a running job that was stopped through no fault of its own."""
        self._end(job_id, state=State.QUEUED, attempts=export_job.c.attempts - 1, started_at=None)

    def recover(self) -> None:
        """Requeue what a crash left running. Only for the owner of the queue, before it works."""
        left = export_job.c.state == State.RUNNING
        error = f"the service stopped unexpectedly during this export {MAX_ATTEMPTS} times"
        worn = update(export_job).where(left, export_job.c.attempts >= MAX_ATTEMPTS)
        with self._engine.begin() as connection:
            connection.execute(worn.values(state=State.FAILED, error=error, finished_at=now()))
            connection.execute(update(export_job).where(left).values(state=State.QUEUED, started_at=None))

    def _end(self, job_id: str, **values: Any) -> None:  # noqa: ANN401 -- column values
        running = (export_job.c.id == job_id) & (export_job.c.state == State.RUNNING)
        with self._engine.begin() as connection:
            connection.execute(update(export_job).where(running).values(**values))


def _job(row: RowMapping) -> Job:
    return Job(**{**row, "state": State(row["state"])})
