"""`outlive disable`: OUTLIVE=1 means nothing any more."""

from __future__ import annotations

import click

from outlive.cli.enable import refuse_another_environment, startup_file
from outlive.errors import OutliveError

_EPILOG = """\b
Examples:
  outlive disable
"""


@click.command(epilog=_EPILOG)
def command() -> None:
    """Take back what `outlive enable` did. Processes that run are not touched."""
    refuse_another_environment("disable")
    file = startup_file()
    try:
        file.unlink()
    except FileNotFoundError:
        click.echo(f"it was not enabled: there is no {file}")
    except OSError as error:
        hint = "ask as the user whose environment it is"
        raise OutliveError(f"can't remove {file}", error.strerror or str(error), hint) from error
    else:
        click.echo(f"OUTLIVE=1 starts nothing any more: removed {file}")
