"""`outlive postmortem`: what was alive when a process died, and what it died of."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outlive.cli import source
from outlive.cli.output import show
from outlive.errors import OutliveError

if TYPE_CHECKING:
    from outlive.recording.folder import Listed

_EPILOG = """\b
Examples:
  outlive postmortem                               the last of your processes that died
  outlive postmortem 4711                          the last recording of that process
  outlive postmortem /dev/shm/outlive-1000         the last one of a folder
  outlive postmortem worker.outlive --json | jq .death.cause
"""
_OTHERS = 20


@click.command(epilog=_EPILOG)
@click.argument("place", type=Path, required=False, metavar="[FILE|FOLDER|PID]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(place: Path | None, *, as_json: bool) -> None:
    """Say what a process died of and what was alive then.

    A recording outlives its process, kill -9 included. Of a folder, by default those that recordings are
    written to, the process that died last is taken and the others are listed.
    """
    from outlive.recording.death import death
    from outlive.recording.folder import folders
    from outlive.recording.heaps import of_recording
    from outlive.recording.reader import read
    from outlive.report.postmortem import postmortem_text
    from outlive.report.recording_json import recording_json
    from outlive.report.style import style_of_stdout

    others: list[Listed] = []
    file = place
    if file is not None and source.is_process(str(file)):
        newest, *others = _dead_of(int(str(file)))
        file = newest.file
    elif file is None or os.path.isdir(file):  # noqa: PTH112 - Path's fails for names that are too long
        newest, *others = _dead(folders() if file is None else [file])
        file = newest.file
    recording = read(file)
    cause = death(recording)
    heaps = of_recording(file, recording)
    if as_json:
        document = recording_json(recording, death=cause)
        document |= {"file": str(file), "others": [_other_json(other) for other in others]}
        document["heaps"] = list(map(str, heaps))
        text = json.dumps(document, indent=2) + "\n"
    else:
        text = postmortem_text(recording, cause, style_of_stdout(), heaps) + _others_text(others)
    show(text)


def _dead(places: list[Path]) -> list[Listed]:
    """Return the recordings of processes that are gone, the last first.

    Raises:
        OutliveError: there is none.

    """
    from outlive.recording.folder import listing

    found = listing(places)
    if dead := [listed for listed in found.recordings if not listed.live]:
        return dead
    named = ", ".join(map(str, places)) or "the folders for it"
    if found.recordings:
        pid = found.recordings[0].process.pid
        raise OutliveError(f"nothing has died in {named}", "its processes are running", f"outlive top {pid}")
    if found.unreadable:
        raise found.unreadable[0]
    hint = "name the file, or start programs with: outlive run --sample PROGRAM"
    raise OutliveError(f"there is no recording in {named}", hint=hint)


def _dead_of(pid: int) -> list[Listed]:
    """Return the recordings of a process that is gone, the last first: the number may have had several.

    Raises:
        OutliveError: there is none, or the process lives.

    """
    from outlive.recording.folder import listing, of_process

    try:
        of_process(pid)
    except OutliveError:
        if dead := [listed for listed in listing().recordings if listed.process.pid == pid]:
            return dead
        raise
    raise OutliveError(f"process {pid} lives", hint=f"outlive report {pid}")


def _other_json(other: Listed) -> dict[str, object]:
    from outlive.recording.death import death

    cause = death(other.outline)
    return {
        "file": str(other.file),
        "pid": other.process.pid,
        "last": other.last,
        "cause": cause.cause,
        "confidence": cause.confidence,
    }


def _others_text(others: list[Listed]) -> str:
    from outlive.recording.death import death
    from outlive.report.postmortem import other_text

    shown = [other_text(other.file, other.outline, death(other.outline)) for other in others[:_OTHERS]]
    heading = [f"\n{len(others)} more, the last first:"] if others else []
    left_out = [f"  and {len(others) - _OTHERS} older ones"] if len(others) > _OTHERS else []
    return "".join(f"{line}\n" for line in (*heading, *shown, *left_out))
