"""`outlive enable`: OUTLIVE=1 starts outlive in every process of this Python environment."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from pathlib import Path

import click

import outlive
from outlive.errors import OutliveError

_PROGRAM = """\
try:
    from outlive.capture import environment
except Exception as error:
    import sys
    if sys.stderr and not hasattr(sys, "_outlive_failed"):
        sys.stderr.write(f"outlive: {error} (OUTLIVE is set; the program runs without outlive)\\n")
    sys._outlive_failed = True
else:
    environment.start()
"""
# `site` runs lines that begin with "import" at each start, in a virtual environment twice. Without OUTLIVE
# this one ends at its `and`.
_LINE = f'import os; os.environ.get("OUTLIVE") and exec({_PROGRAM!r})\n'

_HINT = "use a virtual environment, or ask as the user whose environment it is"

_EPILOG = """\b
Examples:
  outlive enable                            once, in the service's environment
  OUTLIVE=1 gunicorn app:app                master and workers record, each its own
  OUTLIVE=1 OUTLIVE_INTERVAL='64 KiB' python job.py
  outlive top                               what records now
"""


@click.command(epilog=_EPILOG)
def command() -> None:
    """Let OUTLIVE=1 start outlive in every Python process of this environment.

    Puts one small file, outlive.pth, among its packages. Without OUTLIVE it does nothing.
    """
    refuse_another_environment("enable")
    file = startup_file()
    try:
        file.write_text(_LINE, encoding="utf-8")
    except OSError as error:
        raise OutliveError(f"can't write {file}", error.strerror or str(error), _HINT) from error
    click.echo(f"OUTLIVE=1 now starts outlive in the processes of {sys.executable}: {file}")


def startup_file() -> Path:
    """Return the file that this Python reads at each start, beside the packages that its owner installs."""
    packages = Path(sysconfig.get_path("purelib"))
    of_user = Path(site.getusersitepackages())
    is_users = site.ENABLE_USER_SITE and Path(outlive.__file__).is_relative_to(of_user)
    return (of_user if is_users and sys.prefix == sys.base_prefix else packages) / "outlive.pth"


def refuse_another_environment(command_name: str) -> None:
    """Make sure that the environment in use is the one whose Python this is.

    Raises:
        OutliveError: another one is active.

    """
    active = os.environ.get("VIRTUAL_ENV", "")
    if active and Path(active).is_dir() and not Path(active).samefile(sys.prefix):
        raise OutliveError(
            f"this outlive belongs to {sys.prefix}",
            f"the active environment is {active}",
            f"type: {active}/bin/python -m outlive {command_name}",
        )
