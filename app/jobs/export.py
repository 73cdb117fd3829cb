"""One export: a job's rows into its file."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from app.files import published
from app.jobs.job import Job
from app.rows.activity import COLUMNS, read_activity
from app.rows.rfc4180 import encode, header


class StoppedError(Exception):
    """The service is shutting down; the export was given up and its file removed."""


@dataclass(frozen=True, slots=True)
class Written:
    """What an export came to."""

    rows: int
    bytes: int


def write_export(job: Job, database: Path, directory: Path, stopping: Event) -> Written:
    """Write the job's file, complete or not at all. Blocks; memory does not depend on the number of rows."""
    rows = 0
    with (
        published(directory, job.file_name) as file,
        closing(read_activity(database, job.tenant_id, job.user_id)) as batches,
    ):
        size_bytes = file.write(header(COLUMNS))
        for batch in batches:
            if stopping.is_set():
                raise StoppedError
            rows += len(batch)
            size_bytes += file.write(encode(batch))
    return Written(rows, size_bytes)
