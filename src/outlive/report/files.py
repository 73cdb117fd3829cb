"""Where reports go: files, checked before the work and written whole or not at all; standard streams."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from outlive import files
from outlive.capture import streams
from outlive.errors import UsageError


def check_writable(file: Path) -> None:
    """Make sure that `file` can be written later.

    Raises:
        UsageError: it can't, and why.

    """
    try:
        if file.is_dir():
            raise UsageError(f"can't write {file}", "it is a directory", "name a file in it")
        if file.exists() and not os.access(file, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if file.is_file() or not file.exists():
            handle, probe = tempfile.mkstemp(dir=files.folder_of(file), prefix=files.PART_PREFIX)
            os.close(handle)
            Path(probe).unlink()
    except OSError as error:
        raise UsageError(f"can't write {file}", error.strerror or str(error)) from error


def check_not_input(file: Path, source: Path) -> None:
    """Make sure that writing `file` would not overwrite what is read.

    Raises:
        UsageError: it would.

    """
    # Path.exists() fails for names that are too long.
    if os.path.exists(file) and file.samefile(source):  # noqa: PTH110
        raise UsageError(f"can't write {file}", "it is the recording itself", "name another file")


def write_whole(file: Path, text: str | bytes) -> None:
    """Replace `file` by `text` in one step; whoever reads it sees the old or the new, never half.

    As `outlive.files.whole`.

    Raises:
        OSError: it could not be written; the old file is as it was.

    """
    # File names need not be UTF-8.
    content = text if isinstance(text, bytes) else text.encode(errors="backslashreplace")
    with files.whole(file) as stream:
        stream.write(content)


def write_stream(name: Literal["stdout", "stderr"], text: str) -> None:
    """Write to a standard stream that the program is done with: it may have replaced, closed or detached it.

    Goes past the stream's buffer: what would be left there after an error would change the exit code.

    Raises:
        OSError: it could not be written.

    """
    with suppress(Exception):  # the program's own, which may be any object
        getattr(sys, name).flush()
    candidates: tuple[Any, Any] = getattr(sys, f"__{name}__"), getattr(sys, name, None)
    for stream in candidates:
        try:
            stream.flush()
            file, encoding = stream.fileno(), stream.encoding
        except (AttributeError, ValueError):  # None, closed, detached, or no file at all
            continue
        if not streams.is_still(file):
            continue
        content = text.encode(encoding, errors="backslashreplace")
        while content:
            content = content[os.write(file, content) :]
        return
    raise OSError(errno.EBADF, f"the program closed {name}")
