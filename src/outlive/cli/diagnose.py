"""`outlive diagnose`: where the memory of a running process goes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outlive.errors import OutliveError

if TYPE_CHECKING:
    from outlive.model.recording import Recording

_EPILOG = """\b
Examples:
  outlive diagnose 4711
  outlive diagnose 4711 --json | jq .breakdown.malloc_free
  outlive diagnose --trim 4711             have it give back what malloc keeps, and say how much that was
"""


@click.command(epilog=_EPILOG)
@click.argument("pid", type=click.IntRange(min=1))
@click.option("--trim", is_flag=True, help="First have the process give back what malloc has free.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(pid: int, *, trim: bool, as_json: bool) -> None:
    """Say how the resident memory of process PID divides, and what of it can be given back.

    What the kernel says is known of each process of yours; what its allocators have in use and free only the
    process itself knows. If it runs outlive it is asked, and answers within a second or two; if it does not,
    what it noted last is shown, with its age.
    """
    from outlive.capture import proc
    from outlive.cli.output import show
    from outlive.recording import outside, trimming
    from outlive.recording.folder import of_process
    from outlive.report.breakdown import Subject, breakdown_json, breakdown_text

    try:
        file = of_process(pid)
    except OutliveError:
        if trim or not proc.start_ticks(pid):  # dead: that says what of
            raise
        file = None
    trimmed = trimming.trim(file) if trim and file is not None else None
    silent = _silent(file) if trimmed is None else ""  # it measures when it has trimmed
    recording = _outline(file)
    seen = outside.look(pid, recording, measured=not silent)
    subject = Subject(pid, _name(pid, recording), seen.age_seconds, silent, seen.unknown, trimmed)
    text = breakdown_json if as_json else breakdown_text
    show(text(seen.breakdown, subject))


def _silent(file: Path | None) -> str:
    """Have the process measure; return why it did not, if it was asked."""
    from outlive.recording.measuring import measure

    try:
        if file is not None:
            measure(file)
    except OutliveError as error:
        return f"{error.what}: {error.why}" if error.why else error.what
    return ""


def _outline(file: Path | None) -> Recording | None:
    from outlive.recording.reader import outline

    with suppress(OutliveError):  # it went away since it was found
        return outline(file) if file is not None else None
    return None


def _name(pid: int, recording: Recording | None) -> str:
    from outlive.model.printable import printable
    from outlive.report.program_text import identity

    if recording is not None:
        return identity(recording)
    try:
        name = Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        name = "?"
    return f"{printable(name)}, pid {pid}"
