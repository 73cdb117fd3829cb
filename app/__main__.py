"""`python -m app`: run the service, make API keys."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
import uvicorn
from sqlalchemy.exc import DBAPIError

from app.auth import create_key
from app.db.engine import open_engine
from app.jobs.lock import OwnedError, queue_owner
from app.main import create_app
from app.settings import Settings, SettingsError


@contextmanager
def _told_in_one_line(settings: Settings) -> Iterator[None]:
    """Turn what a database may answer when it is opened into the command's error message."""
    try:
        yield
    except (OwnedError, OSError) as error:
        raise click.ClickException(str(error)) from None
    except DBAPIError as error:
        raise click.ClickException(f"{settings.database}: {error.orig}") from None


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.pass_context
def command(context: click.Context) -> None:
    """Run the export service. Settings are EXPORTS_* environment variables."""
    try:
        context.obj = Settings.from_environment()
    except SettingsError as error:
        raise click.UsageError(str(error)) from None


@command.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: any")
@click.pass_obj
def serve(settings: Settings, host: str, port: int) -> None:
    """Run the service until Ctrl-C."""
    # The application opens them for good; tried here, what is wrong is one line instead of a traceback.
    with _told_in_one_line(settings), queue_owner(settings.database), open_engine(settings.database):
        pass
    uvicorn.run(create_app(settings), host=host, port=port)


@command.command("create-key")
@click.option("--tenant", required=True, help="Tenant the key speaks for.")
@click.pass_obj
def create_key_command(settings: Settings, tenant: str) -> None:
    """Print a new API key for a tenant. It is shown this once; the database keeps only its hash."""
    if not tenant.strip():
        raise click.BadParameter("is empty: name a tenant", param_hint="--tenant")
    with _told_in_one_line(settings), open_engine(settings.database) as engine:
        click.echo(create_key(engine, tenant))


if __name__ == "__main__":
    command(prog_name="python -m app")
