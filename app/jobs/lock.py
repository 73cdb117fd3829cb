"""One process owns a database's queue, and one the directory that files are written to."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class OwnedError(RuntimeError):
    """Another process works there."""


@contextmanager
def queue_owner(database: Path) -> Iterator[None]:
    """Own the database's queue for the length of the block, or raise OwnedError.

    A second owner would requeue the first one's running jobs.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    with _owner(database.with_name(f"{database.name}.lock"), database, "EXPORTS_DATABASE to another file"):
        yield


@contextmanager
def directory_owner(directory: Path) -> Iterator[None]:
    """Own the directory, made where missing, for the length of the block, or raise OwnedError.

    A second owner would sweep away what the first one is writing.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _owner(directory, directory, "EXPORTS_DIRECTORY to another one"):
        yield


@contextmanager
def _owner(path: Path, of: Path, instead: str) -> Iterator[None]:
    """Lock a file or a directory. The kernel drops the lock with the process: `kill -9` leaves none."""
    how = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(path, how | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OwnedError(f"another service works on {of}: stop it, or set {instead}") from None
        yield
    finally:
        os.close(descriptor)
