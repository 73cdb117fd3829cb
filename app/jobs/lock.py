"""One process owns the queue of a database."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class QueueOwnedError(RuntimeError):
    """Another process works on this database."""


@contextmanager
def queue_owner(database: Path) -> Iterator[None]:
    """Own the database's queue for the length of the block, or raise QueueOwnedError.

    A second owner would requeue the first one's running jobs. The kernel drops the lock with the process, so
    `kill -9` leaves none behind.
    """
    path = database.with_name(f"{database.name}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise QueueOwnedError(
                f"another service works on {database}: stop it, or set EXPORTS_DATABASE to another file"
            ) from None
        yield
    finally:
        os.close(descriptor)
