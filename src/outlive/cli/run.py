"""`outlive run`: a Python program under outlive, in this process, with its behaviour unchanged."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

import outlive
from outlive.capture import lines, program, rss, sampling, scope_names
from outlive.capture.triggers import parse as parse_triggers
from outlive.cli.live import LiveLine
from outlive.errors import OutliveError, UsageError
from outlive.model.lines import RunProfile
from outlive.model.size import mib, parse_size
from outlive.report.files import check_writable, write_stream, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from outlive.model.recording import Recording

_EPILOG = """\b
Examples:
  outlive run job.py --days 3                        figures of the functions marked @outlive.profile
  outlive run --sample uvicorn app.main:app          which lines hold memory, now and after a kill
  outlive run --scope app.jobs:export -m app serve   the same, and each call of this function is a run
  outlive run --lines 'app/jobs/*.py' -m app serve   all functions in these files, no decorator needed
  outlive run --json profile.json -o table.txt job.py
"""

_INTERVAL = "128 KiB"
_SITES_SHOWN = 10
_HOW = "mark one with @outlive.profile, or name files with --lines\n"


class _Run(click.Command):
    """Ends its own options where Python does: what follows a script, or -m MODULE, is the program's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _parted(args))


def _parted(args: list[str]) -> list[str]:
    """Return the arguments with "--" after -m MODULE."""
    words = iter(args)
    ours: list[str] = []
    for word in words:
        if word == "--" or not word.startswith("-"):
            return [*ours, word, *words]
        ours.append(word)
        if word in ("-m", "-o", "--json", "--lines", "--scope", "--interval", "--on"):
            ours.extend(islice(words, 1))
        if word.startswith("-m") and ours[-1] != "-m":
            return [*ours, "--", *words]
    return ours


@click.command(cls=_Run, epilog=_EPILOG, context_settings={"allow_interspersed_args": False})
@click.option("-m", "module", metavar="MODULE", help="Run a module, as python -m does.")
@click.option(
    "--lines",
    "patterns",
    metavar="GLOB",
    multiple=True,
    help="Profile all lines of these files (quote the pattern; ** spans folders). May be given again.",
)
@click.option("--sample", "is_sampled", is_flag=True, help="Sample all allocations, and record them.")
@click.option(
    "--native", "is_native", is_flag=True, help="With --sample: what extensions take from malloc, too."
)
@click.option(
    "--scope",
    "scoped",
    metavar="MODULE:FUNCTION",
    multiple=True,
    help="Sample, with each call of this function a run of a scope. May be given again.",
)
@click.option(
    "--interval", metavar="SIZE", help="With --sample: one block in so many bytes [default: 128 KiB]."
)
@click.option(
    "--on",
    "triggers",
    metavar="TRIGGER",
    multiple=True,
    help="With --sample: 'rss > 800 MiB: snapshot, log'. May be given again.",
)
@click.option("--json", "json_file", metavar="FILE", type=Path, help="Write the profile as JSON.")
@click.option(
    "-o", "table_file", metavar="FILE", type=Path, help="Write the line tables there, not to stdout."
)
@click.argument("program_and_args", nargs=-1, type=click.UNPROCESSED, metavar="[SCRIPT] [ARGS]...")
def command(  # noqa: PLR0913 - one parameter an option
    module: str | None,
    patterns: tuple[str, ...],
    json_file: Path | None,
    table_file: Path | None,
    program_and_args: tuple[str, ...],
    *,
    interval: str | None,
    scoped: tuple[str, ...],
    triggers: tuple[str, ...],
    is_sampled: bool,
    is_native: bool,
) -> Callable[[], None]:
    """Run a program and print, line by line, what the profiled functions did to memory.

    SCRIPT is a file, or the name of a Python command or a module: uvicorn. With --sample, outlive top shows
    meanwhile which lines hold memory, outlive postmortem after a kill, and at the end they are printed.

    Output, exit code, traceback and signals are the program's own. The tables follow when it has ended, by
    an exception or Ctrl-C too. A signal that kills it, os._exit() and exec leave no time for them.
    """
    files = [file for file in (json_file, table_file) if file is not None]
    for file in files:
        check_writable(file)
    if len({os.path.realpath(file) for file in files}) < len(files):
        raise UsageError(f"-o and --json both name {json_file}", hint="give each a file of its own")
    is_sampled = is_sampled or bool(scoped)
    if is_native and not is_sampled:
        raise UsageError("--native goes with --sample", hint="add --sample")
    if interval is not None and not is_sampled:
        raise UsageError("--interval goes with --sample", hint="add --sample")
    if triggers and not is_sampled:
        raise UsageError("--on goes with --sample", hint="add --sample")
    parse_triggers(triggers)  # before the program starts
    scope_names.choose(scoped)
    load = _loader(module, program_and_args)
    if patterns:
        lines.choose_files(program.files_matching(patterns))
        lines.start_counting()
    every = parse_size(interval or _INTERVAL)
    sample = (
        partial(outlive.start, every, native=is_native, triggers=triggers or None) if is_sampled else None
    )
    return partial(_Report(json_file, table_file, sample).run, load)


def _loader(module: str | None, words: tuple[str, ...]) -> Callable[[], program.Program]:
    if module is not None:
        return partial(program.load_module, module, list(words))
    if not words:
        raise UsageError("nothing to run", hint="name a script, or a module with -m: outlive run job.py")
    return partial(program.load_command, words[0], list(words[1:]))


class _Report:
    """Runs the program, and reports when its threads are joined and its exit functions have run."""

    def __init__(
        self, json_file: Path | None, table_file: Path | None, sample: Callable[[], None] | None
    ) -> None:
        self.json_file = json_file and json_file.absolute()  # the program may change the directory
        self.table_file = table_file and table_file.absolute()
        self.sample = sample
        self.started = time.perf_counter()
        self.pid = os.getpid()
        self.base_rss_bytes = 0
        self.outcome = program.Outcome(0, interrupted=False)
        self.live = LiveLine()

    def run(self, load: Callable[[], program.Program]) -> None:
        atexit.register(self.finish)  # first in, last out: after the program's own exit functions
        self.live.start()
        self.base_rss_bytes = rss.rss_bytes(self.pid)
        lines.begin_run()
        if self.sample is not None:
            self.sample()
        try:
            self.outcome = program.run(load)
        except UsageError:
            atexit.unregister(self.finish)
            self.live.stop()
            raise
        except SystemExit as exit_:
            self.outcome = program.Outcome(program.exit_code(exit_), interrupted=False)
            raise
        sys.exit(self.outcome.exit_code)

    def finish(self) -> None:
        if os.getpid() == self.pid:  # in a forked child, the report is its parent's
            self.report()
        if self.outcome.interrupted:
            _die_interrupted()

    def report(self) -> None:
        self.live.stop()
        lines.stop_counting()
        functions = lines.figures()
        # Threads pass their bytes on in portions, so a line may have seen a little more than the process.
        line_peaks = (line.peak_bytes for function in functions for line in function.lines)
        profile = RunProfile(
            exit_code=self.outcome.exit_code,
            peak_python_bytes=max(lines.peak_bytes(), *line_peaks, 0),
            peak_rss_bytes=rss.peak_rss_bytes(),
            base_rss_bytes=self.base_rss_bytes,
            seconds=time.perf_counter() - self.started,
            functions=functions,
            notes=(*lines.notes(), *scope_names.notes()),
        )
        if self.sample is not None:
            profile = _with_recording(profile, self.outcome)
        self.show(profile)

    def show(self, profile: RunProfile) -> None:
        from outlive.report.lines import line_tables
        from outlive.report.run_json import run_json

        tables = line_tables(profile.functions, profile.notes)
        if profile.recording is not None:
            tables += _sites_table(profile.recording) + "\n" + _findings_text(profile, profile.recording)
        if self.table_file is not None and not tables:
            tables = "No profiled function ran.\n"
        texts = [(self.table_file, tables)]
        if self.json_file is not None:
            texts.append((self.json_file, run_json(profile) + "\n"))
        places, troubles = [], []
        for file, text in texts:
            try:
                if file is None:
                    write_stream("stdout", text)
                else:
                    write_whole(file, text)
                    places.append(str(file))
            except OSError as error:
                what = file or "the line tables"
                troubles.append(f"outlive: can't write {what}: {error.strerror or error}\n")
        with suppress(OSError):  # nobody left to tell
            write_stream("stderr", "".join(troubles) + _summary(profile, places))


def _with_recording(profile: RunProfile, outcome: program.Outcome) -> RunProfile:
    """Add what was sampled, if the program left it running."""
    file = sampling.recording_path()
    sampling.conclude()
    if not file:
        return replace(profile, notes=(*profile.notes, "nothing was recorded"))
    from outlive.diagnose.this_process import judged, snapshot_if_named

    taken = snapshot_if_named()
    from outlive.recording.reader import read

    try:
        recording = read(Path(file))
    except OutliveError as error:  # the program removed it
        return replace(profile, notes=(*profile.notes, str(error)))
    # The file says so in a moment: this process has yet to end.
    state, status = ("signalled", signal.SIGINT) if outcome.interrupted else ("exited", outcome.exit_code)
    process = replace(recording.process, state=state, status=int(status), ended=time.time())
    recording = replace(recording, process=process)
    profile = replace(profile, recording=recording, recording_file=file)
    try:
        return replace(profile, findings=tuple(judged(recording, taken)))
    except Exception as error:  # noqa: BLE001 - what was measured is shown, whatever else fails
        return replace(profile, notes=(*profile.notes, f"there are no verdicts: {error!r}"))


def _sites_table(recording: Recording) -> str:
    from outlive.report.recording_table import recording_table
    from outlive.report.style import Style

    return recording_table(recording, "line", _SITES_SHOWN, Style())


def _findings_text(profile: RunProfile, recording: Recording) -> str:
    from outlive.report.breakdown import Subject
    from outlive.report.finding_text import finding_text
    from outlive.report.program_text import identity
    from outlive.report.style import Style

    subject = Subject(recording.process.pid, identity(recording))
    return finding_text(profile.findings, recording.breakdown, subject, Style())


def _summary(profile: RunProfile, places: list[str]) -> str:
    hint = "" if profile.functions or profile.recording else "outlive: no profiled function ran; " + _HOW
    peaks = f"peak Python {mib(profile.peak_python_bytes)}, RSS {mib(profile.peak_rss_bytes)}"
    where = f" · profile: {', '.join(places)}" if places else ""
    if profile.recording_file:
        where += f" · recording: {profile.recording_file}"
    return f"{hint}outlive: {peaks} · {profile.seconds:.1f} s{where}\n"


def _die_interrupted() -> None:
    """End by the signal, as the interpreter does after an uncaught KeyboardInterrupt, for shells to see."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the program may have put anything there
            stream.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
