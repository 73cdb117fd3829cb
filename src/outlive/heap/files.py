"""Files and folders that are written whole or not at all; large ones, a part at a time."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from outlive import files
from outlive.errors import OutliveError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO


@contextmanager
def whole(file: Path) -> Iterator[IO[bytes]]:
    """Give a stream whose content replaces `file` at the end, in one step; on an error, nothing changes.

    As `outlive.files.whole`.

    Raises:
        UsageError: it is a folder.
        OutliveError: it could not be written.

    """
    with _explained(file):
        if file.is_dir():
            raise UsageError(f"can't write {file}", "it is a directory", "name a file in it")
        with files.whole(file) as stream:
            yield stream


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder that becomes `folder` at the end, in one step; on an error, nothing is left of it.

    Raises:
        UsageError: there is something by that name that is not an empty folder.
        OutliveError: it could not be written.

    """
    with _explained(folder):
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise UsageError(f"can't write {folder}", "it exists", "name a new folder, or remove it first")
        part = Path(tempfile.mkdtemp(dir=files.folder_of(folder), prefix=files.PART_PREFIX))
        try:
            yield part
            files.publish(part, folder, 0o777)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    """Make what the system says against it an OutliveError."""
    try:
        yield
    except OSError as error:
        raise OutliveError(f"can't write {file}", error.strerror or str(error)) from error
