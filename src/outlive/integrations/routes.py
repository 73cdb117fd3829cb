"""The template of the route that served an ASGI request, as Starlette and FastAPI leave it in its scope."""

from __future__ import annotations

from weakref import ref

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

NO_ROUTE = "(no route)"
_ELSEWHERE = "…"  # under a prefix that can't be told
_KNOWN_MAX = 1000
_APPS_DEEP_MAX = 100
_REST = "/{path}"  # what a mount's template ends in


class Names:
    """Templates of the routes of one app, never a URL: a route has one, whatever is asked of it."""

    def __init__(self, app: object) -> None:
        self._app = app
        # By the identity of what served the request, and what it is mounted at.
        self._known: dict[tuple[int, str], tuple[Callable[[], object], str]] = {}

    def of(self, scope: Mapping[str, Any]) -> str:
        """Return the template of the route that the scope, of a request that was served, says."""
        try:
            route = scope.get("route")
            is_mounted = "app_root_path" in scope
            if not is_mounted and "fastapi" not in scope:
                template = getattr(route, "path_format", None)
                if template.__class__ is str:
                    return template or "/"
            served_by = _served_by(scope, route)
            if served_by is None:
                return NO_ROUTE
            mount = scope["root_path"] if is_mounted else ""
            known = self._known.get((id(served_by), mount))
            if known is not None and known[0]() is served_by:
                return known[1]
            name = self._found(scope, served_by, is_mounted=is_mounted)
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[id(served_by), mount] = ref(served_by), name
        except Exception:  # noqa: BLE001 - a framework of another make; the request goes first
            return NO_ROUTE
        else:
            return name

    def _found(self, scope: Mapping[str, Any], served_by: Any, *, is_mounted: bool) -> str:  # noqa: ANN401 - of any make
        template = getattr(served_by, "path_format", None)
        if template is not None and not is_mounted:
            return str(template) or "/"
        for mount, route in _walk(self._app, scope["path"].removeprefix(scope.get("app_root_path", ""))):
            if route is served_by or (template is None and _endpoint(route) is served_by):
                return NO_ROUTE if getattr(route, "routes", None) else f"{mount}{route.path_format}" or "/"
        return NO_ROUTE if template is None else f"{_ELSEWHERE}{template}"


def _served_by(scope: Mapping[str, Any], route: object) -> object:
    """Return the route, if the scope has it, or else the endpoint."""
    endpoint = scope.get("endpoint")
    included = scope.get("fastapi", {}).get("effective_route_context")  # it knows its routers' prefixes
    for each in (included, route):
        if each is not None and _endpoint(each) is endpoint:
            return each
    return endpoint


def _endpoint(route: Any) -> object:  # noqa: ANN401 - of any make
    found = getattr(route, "endpoint", None)
    return found if found is not None else getattr(route, "app", None)


def _walk(app: object, path: str) -> Iterator[tuple[str, Any]]:
    """Go through an app's routes, and those of the mounts on the way to `path`, with the mounts' template."""
    for _ in range(_APPS_DEEP_MAX):  # through middleware
        if hasattr(app, "routes"):
            break
        app = getattr(app, "app", None)
    for route in getattr(app, "routes", None) or ():
        yield "", route
        if hasattr(route, "original_router"):  # FastAPI: routers that are included
            for each in route.effective_route_contexts():
                yield "", each
        rest = _rest(route, path)
        if rest is not None:
            prefix = route.path_format.removesuffix(_REST)
            for mount, inner in _walk(route, rest):
                yield prefix + mount, inner


def _rest(route: Any, path: str) -> str | None:  # noqa: ANN401 - of any make
    """Return what of the path is left for the routes of a mount, None if it does not lead there."""
    if not hasattr(route, "routes") or not getattr(route, "path_format", "").endswith(_REST):
        return None
    match = route.path_regex.match(path)
    return None if match is None else f"/{match['path']}"
