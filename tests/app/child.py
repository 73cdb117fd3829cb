"""Real child processes: a short program, or a whole service that can be killed."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from httpx import Client

from app.settings import Settings

ROOT = Path(__file__).parents[2]

_PATIENCE_SECONDS = 60.0


def run_python(program: str, *arguments: Path) -> "subprocess.CompletedProcess[str]":
    """Run a program in a Python of its own and return how it ended."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


class ServiceProcess:
    """`python -m app serve`, or another way to run the same settings, on a port of its choice."""

    def __init__(self, settings: Settings, log: Path, command: list[str]) -> None:
        self._log = log
        environment = {
            **os.environ,
            "EXPORTS_DATABASE": str(settings.database),
            "EXPORTS_DIRECTORY": str(settings.directory),
            "EXPORTS_WORKERS": str(settings.workers),
            "EXPORTS_MEMORY_TOKEN": settings.memory_token or "",
        }
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *command, "--port", "0"],
                cwd=ROOT,
                env=environment,
                stderr=output,
                stdout=output,
            )

    def client(self, credential: str) -> Client:
        """Return a client that speaks with the credential, once the service listens."""
        self.wait_for(lambda: "Uvicorn running on" in self._log.read_text())
        found = re.search(r"Uvicorn running on (http://[\d.:]+)", self._log.read_text())
        assert found
        return Client(
            base_url=found[1], headers={"Authorization": f"Bearer {credential}"}, timeout=_PATIENCE_SECONDS
        )

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds; fail when the service ends first, or never gets there."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < give_up, self._log.read_text()
            try:
                code = self.process.wait(timeout=0.002)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"the service ended with {code}:\n{self._log.read_text()}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)


@contextmanager
def service_process(settings: Settings, log: Path, *command: str) -> Iterator[ServiceProcess]:
    """Run a service for the length of the block."""
    service = ServiceProcess(settings, log, list(command) or ["app", "serve"])
    try:
        yield service
    finally:
        service.process.kill()
        service.process.wait()
