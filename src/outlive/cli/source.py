"""What a command is asked about: a recording or a heap snapshot, or a process."""

from __future__ import annotations

import os
import shlex
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from outlive.cli.progress import Line, walked
from outlive.errors import UsageError
from outlive.model import heap_layout
from outlive.model.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.heap.snapshot import Snapshot


_DIGITS_MAX = 10  # of the number of a process


def find(named: str) -> Path:
    """Return the recording that an argument names: a path, or the number of a process.

    Raises:
        OutliveError: there is no such process, or it does not record.

    """
    if not is_process(named):
        return Path(named)
    from outlive.recording.folder import of_process

    return of_process(int(named))


def is_process(named: str) -> bool:
    """Return whether an argument is the number of a process, not the name of a file."""
    is_number = named.isascii() and named.isdecimal() and len(named) <= _DIGITS_MAX
    return is_number and not os.path.exists(named)  # noqa: PTH110 - Path's fails for names that are too long


def is_heap(named: str) -> bool:
    """Return whether an argument names a heap snapshot, by what its file begins with."""
    try:
        with Path(named).open("rb") as file:
            return file.read(len(heap_layout.MAGIC)) == heap_layout.MAGIC
    except (OSError, ValueError):
        return False


def check_order(command: str, target: str, snapshot: str) -> None:
    """Make sure that a snapshot's name and what is asked of it were not swapped.

    Args:
        command: which command it is.
        target: what is asked for; as the snapshot's name it would make sense, if that is none.
        snapshot: what is to be a file or a process.

    Raises:
        UsageError: they were, as far as can be seen.

    """
    if _may_be_snapshot(snapshot) or not _may_be_snapshot(target):
        return
    swapped = (snapshot, target) if command != "sql" else (target, snapshot)
    hint = f"other way round?: outlive {command} {printable(shlex.join(swapped))}"
    raise UsageError(f"there is no file {printable(snapshot)}", hint=hint)


def _may_be_snapshot(named: str) -> bool:
    return named.endswith(".heap") or is_process(named) or os.path.exists(named)  # noqa: PTH110 - as above


@contextmanager
def heap(named: str, *, contents: bool = False) -> Iterator[Snapshot]:
    """Open the snapshot that an argument names; of a process, one that is taken now and removed at the end.

    A line on the terminal says so meanwhile: print nothing within the block.

    Raises:
        OutliveError: the file is no snapshot, or the process can't be asked for one.

    """
    if not is_process(named):
        with _opened(Path(named), named) as opened:
            yield opened
        return
    with tempfile.TemporaryDirectory(prefix="outlive-") as folder:
        file = Path(folder, f"{named}.heap")
        take(int(named), file, contents=contents)
        with _opened(file, f"the heap of process {named}") as opened:
            yield opened


@contextmanager
def _opened(file: Path, name: str) -> Iterator[Snapshot]:
    with Line(f"reading {printable(name)}"):
        from outlive.heap.snapshot import Snapshot

        yield Snapshot(file)


def take(pid: int, file: Path, *, contents: bool = False) -> None:
    """Have a process write a snapshot, and show how far it is.

    Raises:
        OutliveError: there is none to be had, and why.

    """
    from outlive.recording import snapshots

    what = f"snapshot of process {pid}"

    def look(part: Path) -> None:
        objects = walked(part)
        line.said = f"{what} · {objects:,} objects" if objects else what

    with Line(what) as line:
        snapshots.take(pid, file, contents=contents, look=look)


def target(named: str) -> str | int:
    """Return what an argument means of a heap: an object's number, "#12" or "12"; else as it is."""
    number = named.removeprefix("#")
    return int(number) if number.isascii() and number.isdecimal() else named
