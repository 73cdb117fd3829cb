"""A web application called in-process: routing, validation, a handler, a response; no socket."""

import asyncio
import json
from collections.abc import Callable, MutableMapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

Message = MutableMapping[str, Any]


class Line(BaseModel):
    """A line of an order."""

    article: str
    count: int
    price: float


class Order(BaseModel):
    """What a client sends."""

    customer: int
    lines: list[Line]


def application() -> FastAPI:
    """Return the application: one route that reads an order and answers with its sum."""
    app = FastAPI()

    @app.post("/orders/{number}")
    async def _order(number: int, order: Order) -> dict[str, Any]:
        await asyncio.sleep(0)
        total = sum(line.count * line.price for line in order.lines)
        return {"number": number, "total": total, "articles": [line.article for line in order.lines]}

    return app


def requests(count: int) -> Callable[[], object]:
    """Serve that many requests, one after the other."""
    app = application()
    lines = [{"article": f"article {number}", "count": number, "price": 9.5} for number in range(1, 9)]
    body = json.dumps({"customer": 7, "lines": lines}).encode()

    async def serve() -> None:
        for number in range(count):
            await _request(app, f"/orders/{number}", body)

    return lambda: asyncio.run(serve())


async def _request(app: FastAPI, path: str, body: bytes) -> None:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if sent[0]["status"] != 200:  # noqa: PLR2004 - HTTP's own number
        raise SystemExit(f"the service answered {sent}")
