"""Files that are written whole or not at all: beside their place first, and put there in one step."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PART_PREFIX = ".outlive-"


@contextmanager
def whole(file: Path) -> Iterator[IO[bytes]]:
    """Give a stream whose content replaces `file` at the end, in one step; on an error, nothing changes.

    A symbolic link stays one. A device or a pipe has nothing to replace: it is written to.

    Raises:
        OSError: it could not be written.

    """
    if file.exists() and not file.is_file():
        with file.open("wb") as stream:
            yield stream
        return
    handle, name = tempfile.mkstemp(dir=folder_of(file), prefix=PART_PREFIX)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
        publish(part, file, 0o666)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def folder_of(file: Path) -> Path:
    """Return the folder that a file or folder lies in, or will: where a link to it leads."""
    return Path(os.path.realpath(file)).parent


def publish(part: Path, target: Path, mode: int) -> None:
    """Put a part where it belongs, with the permissions that one made there has."""
    mask = os.umask(0)
    os.umask(mask)
    part.chmod(mode & ~mask)
    part.replace(os.path.realpath(target))
