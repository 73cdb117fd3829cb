"""`outlive diagnose`: what leaks, what does not, and where the memory of a process goes."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outlive.cli import source
from outlive.errors import OutliveError, UsageError
from outlive.model.finding import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outlive.model.breakdown import Breakdown
    from outlive.model.finding import Finding
    from outlive.model.recording import Recording
    from outlive.report.breakdown import Subject

_EPILOG = """\b
Examples:
  outlive diagnose                         the process that records, if it is one alone
  outlive diagnose 4711
  outlive diagnose 4711 --html leak.html   the same as a page, to be passed on
  outlive diagnose worker.outlive --heap worker.heap
  outlive diagnose 4711 --fail-on leak     exit with 1 if there is one, for scripts
  outlive diagnose 4711 --json | jq .breakdown.malloc_free
  outlive diagnose --trim 4711             have it give back what malloc keeps, and say how much that was
"""


@dataclass(frozen=True, slots=True)
class _Diagnosis:
    findings: Sequence[Finding]
    breakdown: Breakdown | None
    subject: Subject


@click.command(epilog=_EPILOG)
@click.argument("target", required=False, metavar="[PID|FILE]")
@click.option("--trim", is_flag=True, help="First have the process give back what malloc has free.")
@click.option("--heap", metavar="FILE", help="With a recording's FILE: the snapshot taken at the same time.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--html", "html_file", metavar="FILE", type=Path, help="Write a page that needs no network.")
@click.option(
    "--fail-on",
    "failing",
    type=click.Choice(VERDICTS),
    multiple=True,
    help="Exit with 1 at this verdict. May be given again.",
)
def command(  # noqa: PLR0913 - one parameter an option
    target: str | None,
    heap: str | None,
    html_file: Path | None,
    failing: tuple[str, ...],
    *,
    trim: bool,
    as_json: bool,
) -> int:
    """Say what leaks in process PID, or did in a recording: which line made it, who holds it, and the cure.

    A leak is what outlives its run, run after run: name the runs with outlive.scope, or outlive run --scope.
    The process goes on; for a snapshot of its heap it stands still for some tens of milliseconds. Where it
    does not run outlive, only what the kernel knows of its memory is said.
    """
    from outlive.cli.output import save, show, show_json
    from outlive.report import finding_html, finding_json, finding_text
    from outlive.report.style import style_of_stdout

    target = _only_one() if target is None else target
    if source.is_process(target):
        if heap is not None:
            raise UsageError("--heap goes with a recording's file", "of a process, a snapshot is taken")
        found = _of_process(int(target), trim=trim)
    else:
        if trim:
            raise UsageError("--trim needs a process", f"{target} is a file")
        found = _of_file(Path(target), heap)
    if html_file is not None:
        save(html_file, finding_html.finding_html(found.findings, found.breakdown, found.subject))
    if as_json:
        show_json(finding_json.finding_json(found.findings, found.breakdown, found.subject))
    elif html_file is None:
        style = style_of_stdout()
        show(finding_text.finding_text(found.findings, found.breakdown, found.subject, style))
    return int(any(finding.verdict in failing for finding in found.findings))


def _only_one() -> str:
    from outlive.cli.recorded import offered, several

    offers = offered(None)
    if len(offers) > 1:
        raise several(offers, "diagnose")
    return str(offers[0].process.pid)


def _of_file(file: Path, heap: str | None) -> _Diagnosis:
    from outlive.diagnose.findings import findings
    from outlive.heap.blocks import Blocks
    from outlive.recording.reader import read
    from outlive.report.breakdown import Subject

    recording = read(file)
    subject = Subject(recording.process.pid, _name(recording.process.pid, recording))
    if heap is None:
        return _Diagnosis(findings(recording), recording.breakdown, subject)
    with source.heap(heap) as snapshot:
        if snapshot.info.pid != recording.process.pid:
            why = f"that is of process {snapshot.info.pid}, the recording of {recording.process.pid}"
            raise UsageError(f"{heap} does not belong to {file}", why)
        return _Diagnosis(findings(recording, Blocks(snapshot)), recording.breakdown, subject)


def _of_process(pid: int, *, trim: bool) -> _Diagnosis:
    from outlive.capture import proc
    from outlive.recording import outside, trimming
    from outlive.recording.folder import of_process
    from outlive.report.breakdown import Subject

    try:
        file = of_process(pid)
    except OutliveError:
        if trim or not proc.start_ticks(pid):  # dead: that says what of
            raise
        file = None
    found = _judged(pid, file) if file is not None else _unrecorded(pid)
    trimmed = trimming.trim(file) if trim and file is not None else None
    silent = _silent(file) if trimmed is None else ""  # it measures when it has trimmed
    recording = _outline(file)
    seen = outside.look(pid, recording, measured=not silent)
    subject = Subject(pid, _name(pid, recording), seen.age_seconds, silent, seen.unknown, trimmed)
    return _Diagnosis(found, seen.breakdown, subject)


def _judged(pid: int, file: Path) -> list[Finding]:
    """Return the verdicts on a process that records.

    The snapshot comes before the recording is read: what is made in between belongs to the last runs, which
    are not judged yet.
    """
    from outlive.diagnose.findings import findings, is_worth_a_snapshot
    from outlive.recording.reader import read

    recording = read(file)
    if not is_worth_a_snapshot(recording):
        return findings(recording)
    with tempfile.TemporaryDirectory(prefix="outlive-") as folder:
        heap = Path(folder, f"{pid}.heap")
        try:
            source.take(pid, heap)
        except OutliveError as error:
            click.echo(f"outlive: no heap snapshot, so no holders: {error}", err=True)
            return findings(read(file))
        recording = read(file)
        from outlive.heap.blocks import Blocks

        with source.heap(str(heap)) as snapshot:
            return findings(recording, Blocks(snapshot))


def _unrecorded(pid: int) -> list[Finding]:
    from outlive.diagnose.findings import unknown

    why = "it does not run outlive: what its runs leave behind is not known"
    return [unknown(why, f"start it in the process: outlive attach {pid}, or outlive run --sample PROGRAM")]


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
