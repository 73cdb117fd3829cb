"""`outlive run`: a Python program under outlive, in this process, with its behaviour unchanged."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
from pathlib import Path

import click

from outlive.capture import lines, program, rss
from outlive.cli.live import LiveLine
from outlive.errors import UsageError
from outlive.model.lines import RunProfile
from outlive.model.size import mib
from outlive.report.files import check_writable, write_whole

_EPILOG = """\b
Examples:
  outlive run job.py --days 3                        figures of the functions marked @outlive.profile
  outlive run --lines 'app/jobs/*.py' -m app.worker  all functions in these files, no decorator needed
  outlive run --json profile.json -o table.txt job.py
"""


@click.command(
    epilog=_EPILOG, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.option("-m", "module", metavar="MODULE", help="Run a module, as python -m does.")
@click.option(
    "--lines",
    "patterns",
    metavar="GLOB",
    multiple=True,
    help="Profile all lines of these files (quote the pattern; ** spans folders). May be given again.",
)
@click.option("--json", "json_file", metavar="FILE", type=Path, help="Write the profile as JSON.")
@click.option("-o", "table_file", metavar="FILE", type=Path, help="Write the line tables there instead of to stdout.")
@click.argument("program_and_args", nargs=-1, type=click.UNPROCESSED, metavar="[SCRIPT] [ARGS]...")
def command(
    module: str | None,
    patterns: tuple[str, ...],
    json_file: Path | None,
    table_file: Path | None,
    program_and_args: tuple[str, ...],
) -> None:
    """Run a program and print, line by line, what the profiled functions did to memory.

    Output, exit code, traceback and signals are the program's own. The tables follow when it has ended, however it ended.
    """
    for file in (json_file, table_file):
        if file is not None:
            check_writable(file)
    target = _target(module, program_and_args)
    if patterns:
        lines.choose_files(program.files_matching(patterns))
        lines.start_counting()
    _Report(json_file, table_file).run(target)


def _target(module: str | None, words: tuple[str, ...]) -> program.Program:
    if module is not None:
        return program.load_module(module, list(words))
    if not words:
        raise UsageError("nothing to run", hint="name a script, or a module with -m: outlive run job.py")
    return program.load_script(words[0], list(words[1:]))


class _Report:
    """Runs the program, and reports when the interpreter has finished with it: threads joined, exit functions run."""

    def __init__(self, json_file: Path | None, table_file: Path | None) -> None:
        self.json_file, self.table_file = json_file, table_file
        self.started = time.perf_counter()
        self.pid = os.getpid()
        self.outcome = program.Outcome(0, interrupted=False)
        self.live = LiveLine()

    def run(self, target: program.Program) -> None:
        atexit.register(self.finish)  # first in, last out: after the program's own exit functions
        self.live.start()
        lines.watch_peak()
        self.outcome = program.run(target)
        sys.exit(self.outcome.exit_code)

    def finish(self) -> None:
        if os.getpid() != self.pid:
            return  # a forked child: the report is its parent's
        self.live.stop()
        lines.stop_counting()
        profile = RunProfile(
            exit_code=self.outcome.exit_code,
            peak_python_bytes=lines.peak_bytes(),
            peak_rss_bytes=rss.peak_rss_bytes(),
            seconds=time.perf_counter() - self.started,
            functions=lines.figures(),
            notes=lines.notes(),
        )
        self.show(profile)
        if self.outcome.interrupted:
            _die_interrupted()

    def show(self, profile: RunProfile) -> None:
        from outlive.report.lines import line_tables
        from outlive.report.run_json import run_json

        tables = line_tables(profile.functions, profile.notes)
        places = []
        try:
            if self.table_file is not None:
                write_whole(self.table_file, tables)
                places.append(str(self.table_file))
            else:
                sys.stdout.write(tables)
                sys.stdout.flush()
            if self.json_file is not None:
                write_whole(self.json_file, run_json(profile) + "\n")
                places.append(str(self.json_file))
        except OSError as error:
            sys.stderr.write(f"outlive: the profile could not be written: {error}\n")
        sys.stderr.write(_summary(profile, places))


def _summary(profile: RunProfile, places: list[str]) -> str:
    where = f" · profile: {', '.join(places)}" if places else ""
    hint = ""
    if not profile.functions:
        hint = "outlive: no profiled function ran; mark one with @outlive.profile, or name files with --lines\n"
    return f"{hint}outlive: peak Python {mib(profile.peak_python_bytes)}, RSS {mib(profile.peak_rss_bytes)} · {profile.seconds:.1f} s{where}\n"


def _die_interrupted() -> None:
    """End as the interpreter does after an unhandled KeyboardInterrupt: by the signal, so that shells see it."""
    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
