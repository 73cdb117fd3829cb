"""Settings: environment variables that start with EXPORTS_, read once at start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_MOST_WORKERS = 64


class SettingsError(ValueError):
    """A setting that cannot be used; the message names it and says what it takes."""


@dataclass(frozen=True)
class Settings:
    """Where the service keeps its data and how much it does at once.

    `memory_token` opens /api/memory-stats; without one the endpoint does not exist.
    """

    database: Path = Path("var/exports.sqlite")
    directory: Path = Path("var/exports")
    workers: int = 2
    memory_token: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read EXPORTS_DATABASE, _DIRECTORY, _WORKERS, _MEMORY_TOKEN; an empty one counts as unset."""
        return cls(
            database=Path(environment.get("EXPORTS_DATABASE") or cls.database),
            directory=Path(environment.get("EXPORTS_DIRECTORY") or cls.directory),
            workers=_workers(environment.get("EXPORTS_WORKERS") or str(cls.workers)),
            memory_token=environment.get("EXPORTS_MEMORY_TOKEN") or None,
        )


def _workers(text: str) -> int:
    if text in map(str, range(1, _MOST_WORKERS + 1)):
        return int(text)
    raise SettingsError(f"EXPORTS_WORKERS is {text!r}: it takes a whole number from 1 to {_MOST_WORKERS}")
