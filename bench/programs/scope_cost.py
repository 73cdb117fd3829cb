"""What a run costs, in turns a moment each: `scope_cost.py scope` or `scope_cost.py middleware`."""

import asyncio
import statistics
import sys
import timeit
from collections.abc import Callable

from side_by_side.children import hand_over

import outlive
from programs.memory import rss_bytes

TURNS = 40
RUNS = 20_000
REQUESTS = 400


class Nothing:
    """The least that a context manager can do."""

    def __init__(self, name: str) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *raised: object) -> None:
        pass


def named() -> None:
    """Run a scope."""
    with outlive.scope("export"):
        pass


def empty() -> None:
    """Run nothing."""
    with Nothing("export"):
        pass


def scope_figures() -> dict[str, list[float]]:
    """Return microseconds a run, of a scope and of nothing, by turns."""
    figures: dict[str, list[float]] = {"scope": [], "nothing": []}
    for _ in range(TURNS):
        figures["scope"].append(timeit.timeit(named, number=RUNS) / RUNS * 1e6)
        figures["nothing"].append(timeit.timeit(empty, number=RUNS) / RUNS * 1e6)
    return figures


def middleware_figures() -> dict[str, list[float]]:
    """Return microseconds a request of a minimal FastAPI service, with the middleware and without."""
    from fastapi import FastAPI

    from outlive.integrations.asgi import ScopeMiddleware

    app = FastAPI()

    @app.get("/exports/{number}")
    async def show(number: int) -> dict[str, int]:
        return {"number": number}

    plain, wrapped = app, ScopeMiddleware(app)
    request = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/exports/17",
        "raw_path": b"/exports/17",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: object) -> None:
        pass

    async def requests(served: Callable[..., object]) -> float:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(REQUESTS):
            await served({**request}, receive, send)  # type: ignore[misc]
        return (loop.time() - began) / REQUESTS * 1e6

    async def main() -> dict[str, list[float]]:
        figures: dict[str, list[float]] = {"middleware": [], "without": []}
        for _ in range(TURNS):
            figures["middleware"].append(await requests(wrapped))
            figures["without"].append(await requests(plain))
        return figures

    return asyncio.run(main())


def main() -> None:
    """Measure what is asked for while sampling runs, as in production."""
    outlive.start()
    figures = {"scope": scope_figures, "middleware": middleware_figures}[sys.argv[1]]()
    hand_over(medians={name: statistics.median(values) for name, values in figures.items()}, rss=rss_bytes())


if __name__ == "__main__":
    main()
