"""`outlive verify`: a program before and after a change, side by side, and whether that is a fix."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from outlive.cli import worktree
from outlive.cli.output import save, show
from outlive.cli.rounds import Program, Watch, execute
from outlive.demo.interruption import temporary_folder
from outlive.diagnose.comparison import compare, pooled
from outlive.errors import OutliveError, UsageError
from outlive.model.size import parse_size
from outlive.report.comparison_json import comparison_json
from outlive.report.comparison_text import comparison_text
from outlive.report.files import check_writable
from outlive.report.style import style_of_stdout

if TYPE_CHECKING:
    from outlive.cli.rounds import Executed
    from outlive.cli.worktree import Worktree
    from outlive.diagnose.comparison import Comparison, Outcome

_EPILOG = """\b
Examples:
  outlive verify -- job.py --days 3                          what is changed since the last commit
  outlive verify --rev main -- -m app.jobs export            since it left main
  outlive verify --before 'leaky.py' -- fixed.py             two programs
  outlive verify --scope app.jobs:export --rounds 3 -- -m app.jobs
  outlive verify --json - -- job.py | jq .verdict
"""

_PYTHON = re.compile(r"python[0-9.]*")


@click.command(epilog=_EPILOG, context_settings={"allow_interspersed_args": False})
@click.option("--rev", metavar="REV", help="The commit that is before [default: HEAD].")
@click.option("--before", "before_command", metavar="COMMAND", help="Run this before, in one word, not REV.")
@click.option(
    "--rounds", type=click.IntRange(min=1), default=1, show_default=True, help="Executions of each side."
)
@click.option(
    "--scope", default="", metavar="NAME", help="Look at this scope only; MODULE:FUNCTION makes it one."
)
@click.option("--limit", default="10 KiB", show_default=True, metavar="SIZE", help="What a run may leave.")
@click.option(
    "--interval",
    default="16 KiB",
    show_default=True,
    metavar="SIZE",
    help="Sample one block in so many bytes.",
)
@click.option("--show-output", is_flag=True, help="Pass on to stderr what the programs print.")
@click.option("--json", "json_file", metavar="FILE", help="Write JSON; - for stdout, instead of text.")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND...")
def command(  # noqa: PLR0913 - one parameter an option
    words: tuple[str, ...],
    *,
    rev: str | None,
    before_command: str | None,
    rounds: int,
    scope: str,
    limit: str,
    interval: str,
    json_file: str | None,
    show_output: bool,
) -> int:
    """Prove a fix: run a program as it was and as it is, and compare what outlives a run of each scope.

    COMMAND is a Python program as outlive run takes it: a script, -m MODULE, or a command. It is run to its
    end in the files of the last commit, in a temporary git worktree, and then as it is here. Exit code 0:
    fixed; 1: not, or not proven; 3: a program failed.
    """
    if rev is not None and before_command is not None:
        raise UsageError("--rev and --before exclude each other", hint="leave one of them away")
    program = _program(words)
    file = None if json_file in {None, "-"} else Path(str(json_file))
    if file is not None:
        check_writable(file)
    functions = (scope,) if ":" in scope else ()
    watch = Watch(parse_size(interval), parse_size(limit), functions, show_output)
    with temporary_folder("outlive-verify-") as folder, ExitStack() as stack:
        here = Path.cwd()
        after = Program("after", program, here)
        tree = None
        if before_command is None:
            tree = stack.enter_context(worktree.checked_out(rev or "HEAD", folder / "worktree"))
            before = _in_worktree(program, tree)
            names = (f"{after.name} at {tree.revision} ({tree.commit})", f"{after.name} as it is here")
        else:
            before = Program("before", _program(_split(before_command)), here)
            names = (before.name, after.name)
        sides = _execute_all(before, after, rounds, watch, folder, tree)
    compared = compare(pooled(sides[0]), pooled(sides[1]), watch.limit_bytes, scope.rpartition(":")[2])
    document = json.dumps(comparison_json(compared, names, rounds)) + "\n"
    show(document if json_file == "-" else comparison_text(compared, names, rounds, style_of_stdout()))
    if file is not None:
        save(file, document)
    return exit_code(compared)


def exit_code(compared: Comparison) -> int:
    """Return 0 for a fix, 1 for all else."""
    return 0 if compared.verdict == "fixed" else 1


def _execute_all(  # noqa: PLR0913, PLR0917 - what there is to know
    before: Program, after: Program, rounds: int, watch: Watch, folder: Path, tree: Worktree | None
) -> tuple[list[Outcome], list[Outcome]]:
    """Return the outcomes of both, executed in turns: what else the machine does meets them alike."""
    outcomes: tuple[list[Outcome], list[Outcome]] = ([], [])
    for number in range(1, rounds + 1):
        for program, found in zip((before, after), outcomes, strict=True):
            place = folder / f"{program.label}-{number}"
            place.mkdir()
            which = f", round {number} of {rounds}" if rounds > 1 else ""
            executed = execute(program, watch, place, f"running {program.name}, {program.label}{which}")
            if program is before and tree is not None:
                _check_ran_there(executed, tree)
            found.append(executed.outcome)
            shutil.rmtree(place)
    return outcomes


def _program(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return what `outlive run` is to be given: "python" before it may be left away."""
    if words and _PYTHON.fullmatch(Path(words[0]).name):
        words = words[1:]
    if not words:
        raise UsageError("nothing to run", hint="put it behind --: outlive verify -- job.py")
    if words[0].startswith("-") and not words[0].startswith("-m"):
        why = "but -m MODULE, none of Python's options may stand before it"
        raise UsageError(f"can't run {shlex.join(words)}", why, "outlive verify -- job.py")
    return words


def _split(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"can't read --before {text!r}", str(error)) from error


def _in_worktree(words: tuple[str, ...], tree: Worktree) -> Program:
    """Return the program as it was; its script may be named in full."""
    script = Path(words[0])
    if script.is_absolute() and tree.has(script):
        words = (str(tree.there(script)), *words[1:])
    return Program(
        "before",
        words,
        tree.folder(),
        {"PYTHONPATH": tree.import_path()},
        f"in {tree.revision} are only the files that git tracks; --before 'COMMAND' runs another program",
    )


def _check_ran_there(executed: Executed, tree: Worktree) -> None:
    """Make sure that what ran before is the code of the revision, not that of today."""
    files = {
        frame.file
        for recording in executed.recordings
        for stack in recording.stacks.values()
        for frame in stack.frames
    }
    for file in sorted(files):
        if file.startswith(f"{tree.top}/") and tree.has(Path(file)):
            raise OutliveError(
                f"before ran code of today: {file}",
                f"something leads Python there, past the worktree of {tree.revision}",
                "an absolute path, or an installed import hook; or name what to run with --before",
            )
