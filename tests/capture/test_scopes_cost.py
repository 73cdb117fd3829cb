"""What a run costs, beside what is there without it, in the same breath: a loaded machine slows both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.capture.recorded import Place
from tests.capture.scoped import run_unsampled
from tests.integrations.serving import PRELUDE

if TYPE_CHECKING:
    from pathlib import Path

# The least of many short turns: none of them is interrupted, if any.
LEAST = """
import gc, timeit
def least(*functions, number):
    gc.disable()
    times = [[] for _ in functions]
    for _ in range(400):
        for function, found in zip(functions, times):
            found.append(timeit.timeit(function, number=number))
    return [min(found) for found in times]
"""


@pytest.mark.parametrize("sampled", [True, False])
def test_a_scope_costs_a_few_plain_context_managers(tmp_path: Path, *, sampled: bool) -> None:
    """2 µs are some seven of them where this was written; it takes four, and three unsampled."""
    run_unsampled(
        Place(tmp_path),
        LEAST
        + f"""
if {sampled}:
    outlive.start()
class Plain:
    __slots__ = ("name",)
    def __init__(self, name): self.name = name
    def __enter__(self): pass
    def __exit__(self, *raised): pass
def plain():
    with Plain("x"): pass
def scoped():
    with scope("x"): pass
bare, cost = least(plain, scoped, number=200)
assert cost < 7 * bare, cost / bare
""",
    )


def test_the_middleware_is_small_beside_a_minimal_request(tmp_path: Path) -> None:
    """About 1 µs: two per cent of what FastAPI takes here, without any server, and far less with one."""
    run_unsampled(
        Place(tmp_path),
        LEAST
        + PRELUDE
        + """
from fastapi import FastAPI
from outlive.integrations.asgi import ScopeMiddleware
outlive.start()
api = FastAPI()
@api.get("/items/{mark}")
async def item(mark: int): return mark
def requester(app):
    served, loop = Served(app), asyncio.new_event_loop()
    async def many():
        for _ in range(10):
            await served.request("GET", "/items/3")
    return lambda: loop.run_until_complete(many())
bare, cost = least(requester(api), requester(ScopeMiddleware(api)), number=1)
assert counts()["GET /items/{mark}"] == (4000, 4000)
assert cost < 1.1 * bare, cost / bare
""",
    )
