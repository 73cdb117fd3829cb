"""The export service with one leak more: a request that keeps memory on a line the test knows."""

from fastapi import FastAPI

from app.main import create_app

KEPT: list[bytes] = []
KEEPING_LINE = 16


def create() -> FastAPI:
    """Build the service with the leak."""
    app = create_app()

    def keep(megabytes: int) -> None:
        KEPT.extend(bytes(1024 * 1024) for _ in range(megabytes))

    app.post("/keep")(keep)
    return app
