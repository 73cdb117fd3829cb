"""ASGI: each request and each websocket is a run of a scope named by its route, "GET /exports/{id}"."""

from __future__ import annotations

from outlive.capture import scopes
from outlive.integrations import routes

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import Any

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

# A client may send any word as its method; a scope has a name out of few.
_METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY")
)


class ScopeMiddleware:
    """Pure ASGI middleware: `app.add_middleware(ScopeMiddleware)`, or `ScopeMiddleware(app)` around any app.

    It passes everything on as it comes: streams, disconnects, exceptions, lifespan. What route a request has
    is known at its end (`scope["route"]`), so its run begins as one of its method, and is named then. A
    websocket's run is as long as the connection: "WS /feed/{id}". Requests without a route are one scope a
    method: "GET (no route)".
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._names = routes.Names(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, connection, or the lifespan."""
        kind = scope["type"]
        if kind == "http":
            method = scope["method"]
            if method not in _METHODS:
                method = "(other method)"
        elif kind == "websocket":
            method = "WS"
        else:
            await self.app(scope, receive, send)
            return
        run, around = scopes.enter(method)
        if not run:
            await self.app(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        finally:
            scopes.leave(run, around, f"{method} {self._names.of(scope)}")
