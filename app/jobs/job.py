"""What an export job is."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a job stands. `queued` and `running` may still turn into each other; `done` and `failed` stay."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One row of `export_job`: `rows` and `bytes` are known when it is done, `error` when it failed."""

    id: str
    tenant_id: str
    user_id: str
    state: State
    attempts: int
    rows: int | None
    bytes: int | None
    error: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None

    @property
    def file_name(self) -> str:
        """Name of the result in the export directory: made of the server's own id alone."""
        return f"{self.id}.csv"
