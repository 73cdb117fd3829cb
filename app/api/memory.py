"""Which lines hold the memory that was allocated since start-up."""

from hmac import compare_digest
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel

from app.auth import Bearer, unauthorized
from app.memory import Sites
from app.service import CurrentService

TOP = 10
_MIB = 1024 * 1024


class Allocation(BaseModel):
    """A line and what it allocated that is still alive: an estimate from samples, with its 95 % interval."""

    file: str
    function: str
    size_mb: float
    low_mb: float
    high_mb: float
    count: int


class MemoryStats(BaseModel):
    """The lines that hold most, largest first."""

    top_allocations: list[Allocation]


def admitted(service: CurrentService, bearer: Bearer) -> None:
    """Let the memory token in. Without one in the settings this endpoint does not exist."""
    token = service.settings.memory_token
    if token is None:
        raise HTTPException(404)
    if bearer is None or not compare_digest(bearer.credentials.encode("latin-1"), token.encode()):
        raise unauthorized(reason="wrong or no memory token: send the header 'Authorization: Bearer TOKEN'")


def current_sites(service: CurrentService) -> Sites:
    """Return how to ask outlive, or answer 503 with the reason why one cannot."""
    if isinstance(service.memory, str):
        raise HTTPException(503, f"outlive cannot watch this process: {service.memory}")
    return service.memory


router = APIRouter()


@router.get("/api/memory-stats", dependencies=[Depends(admitted)])
def memory_stats(sites: Annotated[Sites, Depends(current_sites)]) -> MemoryStats:
    """Return the ten lines that hold the most memory allocated since the service started."""
    return MemoryStats(
        top_allocations=[
            Allocation(
                file=f'File "{site.file}", line {site.line}',
                function=site.function,
                size_mb=_mb(site.in_use.estimate),
                low_mb=_mb(site.in_use.low),
                high_mb=_mb(site.in_use.high),
                count=round(site.blocks),
            )
            for site in sites(TOP)
        ]
    )


def _mb(size_bytes: float) -> float:
    return round(size_bytes / _MIB, 3)
