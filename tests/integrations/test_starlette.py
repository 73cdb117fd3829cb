"""Background tasks are runs of their own, not of the request that ordered them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.capture.scoped import run
from tests.integrations.serving import PRELUDE

if TYPE_CHECKING:
    from tests.capture.recorded import Place


def test_background_tasks_of_fastapi_and_starlette(place: Place) -> None:
    run(
        place,
        PRELUDE
        + """
import functools
from fastapi import BackgroundTasks, FastAPI
from starlette.background import BackgroundTask
from starlette.responses import PlainTextResponse
from outlive.integrations import starlette
from outlive.integrations.asgi import ScopeMiddleware
starlette.install()
once = BackgroundTask.__call__
starlette.install()
assert BackgroundTask.__call__ is once
class Mailer:
    def send(self, mark): make(mark)
    async def __call__(self, mark): await make_soon(mark)
def fail(mark):
    make(mark)
    raise LookupError
api = FastAPI()
@api.get("/fast")
async def fast(tasks: BackgroundTasks):
    make(0)
    tasks.add_task(make, 1)
    tasks.add_task(make_soon, 2)
    tasks.add_task(functools.partial(Mailer().send, 3))
    tasks.add_task(Mailer(), 4)
@api.get("/star")
async def star():
    return PlainTextResponse("x", background=BackgroundTask(fail, 5))
async def main():
    app = Served(ScopeMiddleware(api))
    await app.request("GET", "/fast")
    with contextlib.suppress(LookupError):
        await app.request("GET", "/star")
asyncio.run(main())
assert places() == {
    0: ("GET /fast", 1), 1: ("background make", 1), 2: ("background make_soon", 1),
    3: ("background Mailer.send", 1), 4: ("background Mailer", 1), 5: ("background fail", 1),
}, places()
assert not own().open_runs
""",
    )
