"""The middleware on real FastAPI and Starlette apps: names by route, and nothing of the traffic changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.capture.scoped import run, run_unsampled
from tests.integrations.serving import PRELUDE

if TYPE_CHECKING:
    from tests.capture.recorded import Place

FASTAPI = (
    PRELUDE
    + """
from fastapi import APIRouter, FastAPI, Request, WebSocket
from fastapi.responses import StreamingResponse
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from outlive.integrations.asgi import ScopeMiddleware

async def plain(request):
    make(int(request.path_params["mark"]))
    return PlainTextResponse("made")
"""
)


def test_runs_are_named_by_route(place: Place) -> None:
    (place.path / "static").mkdir()
    (place.path / "static" / "page.html").write_text("x")
    run(
        place,
        FASTAPI
        + f"""
router, inner = APIRouter(prefix="/v1"), FastAPI()
@router.get("/items/{{mark}}")
def item(mark: int): make(mark)  # in a thread
@inner.get("/x/{{mark}}")
async def x(mark: int): make(mark)
inner.include_router(router, prefix="/inc")
api = FastAPI()
api.include_router(router, prefix="/api")
@api.post("/direct/{{mark}}")
async def direct(mark: int): make(mark)
@api.websocket("/feed/{{mark}}")
async def feed(socket: WebSocket, mark: int):
    await socket.accept()
    make(mark)
    await socket.close()
api.mount("/sub/{{tenant}}", inner)
api.mount("/static", StaticFiles(directory={str(place.path / "static")!r}))
api.mount("/star", Starlette(routes=[
    Route("/s/{{mark}}", plain), Mount("/m/{{k:int}}", routes=[Route("/deep/{{mark:path}}", plain)]),
]))
async def main():
    # As an app's own middleware, around it, behind a prefix that a proxy takes away.
    around, served = Served(ScopeMiddleware(api)), {{}}
    async def get(path, method="GET", **options):
        sent = await around.request(method, path, **options)
        served[method, path] = sent[0].get("status")
    await get("/api/v1/items/1")
    await get("/api/v1/items/2", root_path="/behind")
    await get("/sub/t1/x/3")
    await get("/sub/t2/x/4")
    await get("/sub/t2/inc/v1/items/5")
    await get("/star/s/6")
    await get("/star/m/7/deep/7")
    await get("/direct/8", "POST")
    await get("/feed/9", "WS", kind="websocket")
    await get("/static/page.html")
    await get("/docs")
    for path in ("/no", "/direct/", "/sub/t1/no", "/star/no", "/star/m/x/deep/3"):
        await get(path)
    await get("/direct/10", "BREW")
    await get("/direct/10", "DELETE")
    print(*served.items(), sep="\\n")
asyncio.run(main())
assert places() == {{
    1: ("GET /api/v1/items/{{mark}}", 1), 2: ("GET /api/v1/items/{{mark}}", 2),
    3: ("GET /sub/{{tenant}}/x/{{mark}}", 1), 4: ("GET /sub/{{tenant}}/x/{{mark}}", 2),
    5: ("GET /sub/{{tenant}}/inc/v1/items/{{mark}}", 1),
    6: ("GET /star/s/{{mark}}", 1), 7: ("GET /star/m/{{k}}/deep/{{mark}}", 1),
    8: ("POST /direct/{{mark}}", 1), 9: ("WS /feed/{{mark}}", 1),
}}, places()
rest = {{name: began for name, (began, ended) in counts().items()}}
for name, _ in places().values():
    rest.pop(name, None)
assert rest == {{
    "GET /static/{{path}}": 1, "GET /docs": 1, "GET (no route)": 5,
    "(other method) /direct/{{mark}}": 1, "DELETE /direct/{{mark}}": 1,
}}, rest
assert not own().open_runs
""",
    )


def test_added_to_the_app_itself_and_behind_other_middleware(place: Place) -> None:
    run(
        place,
        FASTAPI
        + """
api = FastAPI()
@api.get("/items/{mark}")
async def item(mark: int): make(mark)
@api.middleware("http")
async def other(request: Request, call_next):
    return await call_next(request)
api.add_middleware(ScopeMiddleware)
star = Starlette(routes=[Route("/s/{mark}", plain), Mount("/m/{k}", routes=[Route("/{mark}", plain)])])
star.add_middleware(ScopeMiddleware)
async def main():
    await Served(api).request("GET", "/items/1")
    await Served(star).request("GET", "/s/2")
    await Served(star).request("GET", "/m/5/3")
asyncio.run(main())
assert places() == {1: ("GET /items/{mark}", 1), 2: ("GET /s/{mark}", 1), 3: ("GET /m/{k}/{mark}", 1)}
""",
    )


def test_many_samples_are_handed_over_to_the_route(place: Place) -> None:
    run(
        place,
        FASTAPI
        + """
api = FastAPI()
@api.get("/items")
async def item():
    with scope("within"):
        make(0)
    for mark in range(1, 200):
        make(mark)
app = Served(ScopeMiddleware(api))
asyncio.run(app.request("GET", "/items"))
found = places()
assert found.pop(0) == ("within", 1) and set(found.values()) == {("GET /items", 1)}
""",
    )


@pytest.mark.parametrize("sampled", [True, False])
def test_a_stream_comes_as_it_is_made(place: Place, *, sampled: bool) -> None:
    """Each part is sent before the next is made, in the task of the request; a disconnect is passed on."""
    (run if sampled else run_unsampled)(
        place,
        FASTAPI
        + """
api = FastAPI()
made, log = [], []
@api.get("/stream/{of}")
async def stream(of: int):
    async def parts():
        try:
            for n in range(of):
                made.append(n)
                kept.clear()
                make(n)
                yield b"x" * 10
                await asyncio.sleep(0)
        finally:
            log.append("closed")
    return StreamingResponse(parts())
async def main():
    task, tasks = asyncio.current_task(), len(asyncio.all_tasks())
    async def on_send(message):
        if message["type"] == "http.response.body" and message["body"]:
            log.append((len(made), message["more_body"]))
    middleware = ScopeMiddleware(api)
    bare, wrapped = [
        await Served(app).request("GET", "/stream/3", on_send=on_send) for app in (api, middleware)
    ]
    assert bare == wrapped
    assert [m["type"] for m in wrapped] == ["http.response.start"] + 4 * ["http.response.body"]
    assert log == [(1, True), (2, True), (3, True), "closed", (4, True), (5, True), (6, True), "closed"], log
    left = asyncio.Event()
    async def leave(message):
        if len(made) > 1000:
            left.set()
    await asyncio.wait_for(
        Served(middleware).request("GET", "/stream/1000000", disconnect=left, on_send=leave), 60
    )
    assert len(asyncio.all_tasks()) == tasks
asyncio.run(main())
"""
        + (
            "assert counts() == {'GET /stream/{of}': (2, 2)} and not own().open_runs\n"
            "assert set(places().values()) == {('GET /stream/{of}', 2)}\n"
            if sampled
            else ""
        ),
    )


def test_exceptions_and_cancellation_end_the_run_and_pass(place: Place) -> None:
    run(
        place,
        FASTAPI
        + """
api = FastAPI()
@api.get("/fail")
async def fail(): raise LookupError
@api.get("/hang")
async def hang(): await asyncio.Event().wait()
async def main():
    app = Served(ScopeMiddleware(api))
    try:
        await app.request("GET", "/fail")
    except LookupError:
        pass
    else:
        raise AssertionError
    task = asyncio.create_task(app.request("GET", "/hang"))
    while not own().open_runs:
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
asyncio.run(main())
assert counts() == {"GET /fail": (1, 1), "GET /hang": (1, 1)} and not own().open_runs
""",
    )


def test_lifespan_and_unknown_kinds_pass_through(place: Place) -> None:
    run(
        place,
        PRELUDE
        + """
from outlive.integrations.asgi import ScopeMiddleware
seen = []
async def app(*arguments): seen.append(arguments)
async def main():
    for kind in ("lifespan", "something new"):
        arguments = {"type": kind}, object(), object()
        await ScopeMiddleware(app)(*arguments)
        assert all(a is b for a, b in zip(seen.pop(), arguments))
asyncio.run(main())
assert not counts()
""",
    )


def test_frameworks_it_does_not_know(place: Place) -> None:
    """Whatever they leave in the scope, the request goes first."""
    run(
        place,
        PRELUDE
        + """
from outlive.integrations.asgi import ScopeMiddleware
class Rude:
    __slots__ = ()
    def __getattr__(self, name): raise RuntimeError(name)
leave = [
    {}, {"route": None}, {"route": "x"}, {"route": Rude()}, {"endpoint": Rude()},
    {"endpoint": 3}, {"fastapi": 3}, {"app_root_path": None, "route": Rude()}, {"endpoint": len},
    {"path": None, "endpoint": len},
]
async def main():
    for each in leave:
        async def app(scope, receive, send):
            scope.update(each)
        await Served(ScopeMiddleware(app)).request("GET", "/x")
asyncio.run(main())
assert counts() == {"GET (no route)": (len(leave), len(leave))}, counts()
""",
    )


def test_routes_that_come_and_go_are_not_kept(place: Place) -> None:
    run(
        place,
        FASTAPI
        + """
import weakref
middleware = ScopeMiddleware(star := Starlette())
async def main():
    routes = []
    for n in range(1500):
        route = Route(f"/r{n % 7}", lambda request: PlainTextResponse("x"))
        routes.append(weakref.ref(route))
        mount = Mount(f"/{n}", routes=[route])
        star.router.routes[:] = [mount]
        await Served(middleware).request("GET", f"/{n}/r{n % 7}")
        del route, mount
    star.router.routes.clear()
    gc.collect()
    assert not [ref for ref in routes if ref()]
    assert len(middleware._names._known) <= 1000
asyncio.run(main())
assert counts()["GET /5/r5"] == (1, 1) and len(counts()) <= 1023
""",
    )
