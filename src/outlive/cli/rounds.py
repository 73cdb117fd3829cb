"""Executions of a program under `outlive run --sample`, each in a process and a folder of its own."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from outlive.cli.progress import Line
from outlive.demo.interruption import held_signals
from outlive.diagnose.comparison import outcome
from outlive.errors import OutliveError
from outlive.model.folders import RECORDING_VARIABLE, SUFFIX
from outlive.recording.reader import read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from outlive.diagnose.comparison import Outcome, ScopeOutcome
    from outlive.model.recording import Recording

_LAST_LINES = 12


@dataclass(frozen=True, slots=True)
class Program:
    """A program as `outlive run` takes it, to be run in a folder; `label` is "before" or "after"."""

    label: str
    words: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    if_it_fails: str = ""  # what may be the reason here

    @property
    def name(self) -> str:
        """The command line."""
        return shlex.join(self.words)


@dataclass(frozen=True, slots=True)
class Watch:
    """How programs are watched. `scopes`: functions that are to be scopes, "app.jobs:export"."""

    interval: int
    limit_bytes: int
    scopes: tuple[str, ...] = ()
    shows_output: bool = False


@dataclass(frozen=True, slots=True)
class Executed:
    """What an execution came to, and the recordings of its processes."""

    outcome: Outcome
    recordings: tuple[Recording, ...]


def execute(program: Program, watch: Watch, place: Path, said: str) -> Executed:
    """Run a program to its end; `place` is an empty folder for what that leaves.

    What it prints goes nowhere, or to stderr. Nothing that it started goes on, however this ends.

    Raises:
        OutliveError: it failed, with its last lines, or left no recording.

    """
    document, log, recordings = place / "run.json", place / "output", place / "recordings"
    options = ["--sample", "--interval", str(watch.interval), "--json", str(document), "-o", os.devnull]
    for scope in watch.scopes:
        options += ["--scope", scope]
    with log.open("wb") as output, nullcontext() if watch.shows_output else Line(said):
        code = _run(
            [sys.executable, "-m", "outlive", "run", *options, *program.words],
            program.folder,
            os.environ | program.environment | {RECORDING_VARIABLE: str(recordings)},
            sys.stderr.fileno() if watch.shows_output else output.fileno(),
        )
    if code:
        why = _with_last_lines(_ending(code), log)
        raise OutliveError(f"{program.label} failed: {program.name}", why, program.if_it_fails)
    found = tuple(read(file) for file in sorted(recordings.glob(f"*{SUFFIX}")))
    if not found or not document.exists():
        why = "it stopped outlive, or ended in a way that leaves no time for a report"
        raise OutliveError(f"{program.label} left no recording: {program.name}", _with_last_lines(why, log))
    return Executed(_outcome(json.loads(document.read_bytes()), found, watch.limit_bytes), found)


def _outcome(said: dict[str, int], recordings: Sequence[Recording], limit_bytes: int) -> Outcome:
    """Return what an execution came to: of each scope, in the process with most runs of it."""
    outcomes = [outcome(recording, limit_bytes) for recording in recordings]
    scopes: dict[str, ScopeOutcome] = {}
    for each in outcomes:
        for name, scope in each.scopes.items():
            if name not in scopes or scopes[name].runs < scope.runs:
                scopes[name] = scope
    return replace(
        outcomes[0],
        scopes=scopes,
        peak_rss_bytes=said["peak_rss_bytes"] - said["base_rss_bytes"],
        peak_python_bytes=said["peak_python_bytes"],
        seconds=said["seconds"],
    )


def _run(arguments: list[str], folder: Path, environment: Mapping[str, str], output: int) -> int:
    """Return the exit code; end it, and what it started, if it is still there at the end."""
    process = None
    try:
        with held_signals():  # interrupted halfway, Popen would leave a child that nobody knows
            process = subprocess.Popen(  # noqa: S603 - this Python, with the user's own program
                arguments,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                process_group=0,
            )
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    finally:
        if process:
            with held_signals():
                with suppress(ProcessLookupError):  # not reaped yet, so the number is its own
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    return process.returncode


def _with_last_lines(why: str, log: Path) -> str:
    return "\n  ".join((why, *log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]))


def _ending(code: int) -> str:
    if code >= 0:
        return f"its process ended with exit code {code}"
    return f"its process was ended by {signal.Signals(-code).name}"
