"""Files that appear complete or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

_UNFINISHED = ".part"


@contextmanager
def published(directory: Path, name: str) -> Iterator[BinaryIO]:
    """Open a new file, owner-only, that gets its `name` once the block ended well and its bytes are on disk.

    On any error nothing stays behind. `name` is the server's own choice, never a caller's.
    """
    part = directory / f".{name}.{token_hex(8)}{_UNFINISHED}"
    # O_EXCL: neither a symlink nor a file laid here by somebody else is ever written to.
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        part.replace(directory / name)
        _sync_directory(directory)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def sweep(directory: Path) -> None:
    """Remove what a killed process left unfinished. Nobody may be writing in `directory`."""
    for part in directory.glob(f".*{_UNFINISHED}"):
        part.unlink()


def _sync_directory(directory: Path) -> None:
    """Make a rename last: it is the directory that holds the name."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
