"""What the service is made of while it runs, and how a request reaches it."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy import Engine

from app.jobs.store import JobStore
from app.jobs.worker import Workers
from app.memory import Sites
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class Service:
    """The running parts; `memory` is how to ask for memory sites, or the reason why one cannot."""

    settings: Settings
    engine: Engine
    jobs: JobStore
    workers: Workers
    memory: Sites | str


def current_service(request: Request) -> Service:
    """Return the service that the lifespan started."""
    return cast("Service", request.app.state.service)


CurrentService = Annotated[Service, Depends(current_service)]
