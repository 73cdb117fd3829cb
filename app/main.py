"""The application: what starts, in which order, and how it stops."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from threading import Event

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError

from app import files
from app.api import exports, health, memory
from app.api.refusal import refuse
from app.db.engine import open_engine
from app.jobs.export import Written, write_export
from app.jobs.job import Job
from app.jobs.lock import directory_owner, queue_owner
from app.jobs.store import JobStore
from app.jobs.worker import Workers
from app.memory import watched_memory
from app.service import Service
from app.settings import Settings

# The largest valid request is below 2 KB.
_MOST_BODY_BYTES = 16 * 1024


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; without `settings` they come from the environment."""
    chosen = settings or Settings.from_environment()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with _running(chosen) as service:
            app.state.service = service
            yield

    app = FastAPI(
        title="Export service",
        lifespan=lifespan,
        max_body_size=_MOST_BODY_BYTES,
        docs_url=None,  # the pages load scripts from elsewhere; /openapi.json is there
        redoc_url=None,
    )
    app.exception_handler(RequestValidationError)(refuse)
    app.include_router(exports.router)
    app.include_router(health.router)
    app.include_router(memory.router)
    return app


def __getattr__(name: str) -> FastAPI:
    """Make `app` for servers that ask for it by name (`uvicorn app.main:app`), and not before."""
    if name == "app":
        return create_app()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@contextmanager
def _running(settings: Settings) -> Iterator[Service]:
    """Start the parts, and stop them in reverse. Blocks at both ends, when there are no requests."""

    def run(job: Job, stopping: Event) -> Written:
        return write_export(job, settings.database, settings.directory, stopping)

    sampling = watched_memory() if settings.memory_token else nullcontext("EXPORTS_MEMORY_TOKEN is not set")
    with sampling as memory_sites, queue_owner(settings.database), directory_owner(settings.directory):
        files.sweep(settings.directory)
        with open_engine(settings.database) as engine:
            jobs = JobStore(engine)
            jobs.recover()
            with Workers(jobs, run, settings.workers) as workers:
                yield Service(settings, engine, jobs, workers, memory_sites)
