"""What commands print and write: whole, and to stdout in whatever encoding that has."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import click

from outlive.errors import OutliveError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def show(text: str | bytes) -> None:
    """Print `text`, or bytes as they are, to stdout. A reader that has seen enough (head) is no error.

    Raises:
        OutliveError: stdout can't be written to.

    """
    if sys.stdout is None:  # closed from the start
        return
    content = text
    if isinstance(content, str):
        # Names need not be UTF-8.
        content = content.encode(sys.stdout.encoding, errors="backslashreplace")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except OSError as error:
        # What is left in the buffer would fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise OutliveError("can't write to stdout", error.strerror or "") from error


def show_json(document: Mapping[str, object]) -> None:
    """Print a document on one line. Raises what `show` does."""
    show(json.dumps(document) + "\n")


def save(file: Path, content: str | bytes) -> None:
    """Write a file whole or not at all, and say so on stderr.

    Raises:
        OutliveError: it can't be written; what was there is as it was.

    """
    from outlive.report.files import write_whole

    try:
        write_whole(file, content)
    except OSError as error:
        raise OutliveError(f"can't write {file}", error.strerror or str(error)) from error
    click.echo(f"outlive: wrote {file}", err=True)
