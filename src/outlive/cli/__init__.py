"""The `outlive` command: one module here per subcommand, imported when it is used."""

from __future__ import annotations

import importlib
import sys

import click

import outlive
from outlive.errors import OutliveError, UsageError

_COMMANDS = (
    "attach",
    "backrefs",
    "census",
    "convert",
    "demo",
    "diagnose",
    "diff",
    "disable",
    "docs",
    "dominators",
    "duplicates",
    "enable",
    "growth",
    "postmortem",
    "report",
    "retained",
    "run",
    "snapshot",
    "sql",
    "suspects",
    "top",
    "verify",
    "why",
)

_EPILOG = """\b
Examples:
  outlive run job.py --days 3              line tables of what @outlive.profile marks in job.py
  outlive run --lines 'app/jobs/*.py' job.py
  outlive job.py                           the same as: outlive run job.py
  outlive top                              watch what a recording process holds
  outlive why UserActivity 4711            who holds these objects of a process
  outlive demo                             the worked example, on real data
"""


class _Commands(click.Group):
    """Loads a subcommand's module when it is asked for: `outlive run` shares its process with the program."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"outlive.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0].endswith(".py"):
            args = ["run", *args]
        if args[0] not in _COMMANDS:
            hint = f"to run a program, name its file: outlive run {args[0]}"
            raise UsageError(f"there is no command {args[0]!r}", f"there are {', '.join(_COMMANDS)}", hint)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(outlive.__version__, prog_name="outlive")
def cli() -> None:
    """Find what outlives the work that made it, and which line made it."""


def main() -> None:
    """Run the command line.

    Exit codes: 0 fine, 1 what was asked for is not so, 2 bad usage, 3 outlive itself failed; `run` passes the
    program's on.
    """
    try:
        left = cli.main(sys.argv[1:] or ["--help"], standalone_mode=False)
        # Out of click, which would lend the program its context and take its Ctrl-C.
        sys.exit(left() if callable(left) else left)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx is not None else "outlive"
        _fail(f"{error.format_message().rstrip('.')}; see {command} --help", 2)
    except UsageError as error:
        _fail(str(error), 2)
    except OutliveError as error:
        _fail(str(error), 3)
    except click.Abort:
        sys.exit(130)


def _fail(message: str, code: int) -> None:
    click.echo(f"outlive: {message}", err=True)
    sys.exit(code)
