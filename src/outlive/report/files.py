"""Report files: checked before the work, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from outlive.errors import UsageError


def check_writable(file: Path) -> None:
    """Make sure that `file` can be written later.

    Raises:
        UsageError: it can't, and why.

    """
    if file.is_dir():
        raise UsageError(f"can't write {file}", "it is a directory", "name a file in it")
    try:
        handle, probe = tempfile.mkstemp(dir=file.parent, prefix=".outlive-")
    except OSError as error:
        raise UsageError(f"can't write {file}", error.strerror or str(error)) from error
    os.close(handle)
    Path(probe).unlink()


def write_whole(file: Path, text: str) -> None:
    """Replace `file` by `text` in one step; whoever reads it sees the old or the new, never half.

    Raises:
        OSError: it could not be written; the old file is as it was.

    """
    handle, part = tempfile.mkstemp(dir=file.parent, prefix=".outlive-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        mask = os.umask(0)
        os.umask(mask)
        Path(part).chmod(0o666 & ~mask)
        Path(part).replace(file)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
