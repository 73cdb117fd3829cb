"""Whether the process is alive and its event loop turns."""

from fastapi import APIRouter

router = APIRouter()


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Answer on the event loop itself, so that a blocked loop shows."""
    return {"status": "ok"}
