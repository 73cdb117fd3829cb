"""OUTLIVE=1 with real servers: each worker of theirs has a recording, whether it was forked or spawned."""

from __future__ import annotations

import socket
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.capture.recorded import until
from tests.cli.environments import PATIENCE_SECONDS, Environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROUNDS_MAX = 20

SERVICE = """
import os, time
kept = []

def answer():
    kept.append(bytearray(1_000_000))  # a leak
    time.sleep(0.05)  # meanwhile the other worker takes the next one
    return str(os.getpid()).encode()

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer()})

def wsgi(environ, start_response):
    start_response("200 OK", [])
    return [answer()]
"""

COMMANDS = {
    "uvicorn": ["uvicorn", "--uds", "socket", "--workers", "2", "--lifespan", "off", "service:asgi"],
    "gunicorn": ["gunicorn", "--bind", "unix:socket", "--workers", "2", "service:wsgi"],
    "gunicorn, loaded before the fork": [
        *["gunicorn", "--bind", "unix:socket", "--workers", "2", "--preload", "service:wsgi"]
    ],
}


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    made = Environment(tmp_path / "venv")
    made.enable()
    (made.path / "service.py").write_text(SERVICE)
    return made


@pytest.fixture(params=COMMANDS)
def server(environment: Environment, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    words = [str(word) for word in COMMANDS[request.param]]
    pytest.importorskip(words[0])
    with (environment.path / "log").open("wb") as log:
        started = subprocess.Popen(
            [environment.python, "-m", *words],
            cwd=environment.path,
            env={
                **environment.variables,
                "HOME": str(environment.path),
                "OUTLIVE": "1",
                "OUTLIVE_INTERVAL": "16 KiB",
            },
            stdout=log,
            stderr=log,
        )
    yield started
    started.terminate()
    started.wait(PATIENCE_SECONDS)


def asked(path: Path) -> int:
    """Ask the service once, and return the pid of the worker that answered; 0 while nobody does."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
            connection.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        except OSError:
            return 0
    return int(answer.rpartition(b"\r\n\r\n")[2] or b"0")


def test_each_worker_has_a_recording_of_its_own(
    environment: Environment, server: subprocess.Popen[bytes]
) -> None:
    until(lambda: asked(environment.path / "socket"))
    workers = Counter[int]()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(ROUNDS_MAX):
            workers.update(pool.map(asked, [environment.path / "socket"] * 8))
            if len(workers) > 1:
                break
    assert len(workers) == 2, (environment.path / "log").read_text()
    until(lambda: {server.pid, *workers} <= {each.process.pid for each in environment.recordings()})
    recorded = {each.process.pid: each for each in environment.recordings()}
    for pid, answers in workers.items():
        # One more went to the worker that was first asked.
        assert sum(block.size == 1_000_001 for block in recorded[pid].samples) - answers in (0, 1)
        program = str(recorded[pid].process.notes["program"])
        assert program == "-c" or "uvicorn" in program or "gunicorn" in program
    server.terminate()
    assert server.wait(PATIENCE_SECONDS) in (0, -15)
    assert "outlive" not in (environment.path / "log").read_text()
    states = {each.process.pid: each.process.state for each in environment.recordings()}
    assert "running" not in {states[pid] for pid in (server.pid, *workers)}
