"""Programs that serve ASGI requests without a server: what a server does, and nothing more."""

from __future__ import annotations

PRELUDE = """
class Served:
    def __init__(self, app): self.app = app
    async def request(self, method, path, *, root_path="", kind="http", disconnect=None, on_send=None):
        scope = {
            "type": kind, "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [], "root_path": root_path, "scheme": "http", "server": ("x", 80),
            "client": ("c", 1), "asgi": {"version": "3.0"}, "http_version": "1.1", "subprotocols": [],
        }
        if kind == "websocket":
            del scope["method"]
        sent, asked = [], [{"type": "http.request", "body": b"", "more_body": False}]
        if kind == "websocket":
            asked = [{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}]
        async def receive():
            if asked:
                return asked.pop(0)
            await (disconnect or asyncio.Event()).wait()
            return {"type": "http.disconnect"}
        async def send(message):
            sent.append(message)
            if on_send:
                await on_send(message)
        await self.app(scope, receive, send)
        return sent
"""
