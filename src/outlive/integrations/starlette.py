"""Starlette and FastAPI: each background task is a run of a scope named by its function."""

from __future__ import annotations

from outlive.capture import scopes
from outlive.integrations.names import name_of

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from starlette.background import BackgroundTask


def install() -> None:
    """Name background tasks from now on: "background send_mail". Their memory then isn't the request's."""
    from starlette.background import BackgroundTask

    serve = BackgroundTask.__call__
    if getattr(serve, "__module__", None) == __name__:
        return

    async def served(self: BackgroundTask) -> None:
        run, around = scopes.enter(f"background {name_of(self.func)}")
        try:
            await serve(self)
        finally:
            scopes.leave(run, around)

    BackgroundTask.__call__ = served  # type: ignore[method-assign]
