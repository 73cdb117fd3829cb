"""Runs that a framework's begin and end are told of one by one, in the same context."""

from __future__ import annotations

from outlive.capture import scopes

_BEGUN_MAX = 10_000


class Begun:
    """Open runs by the framework's own number of the job."""

    def __init__(self) -> None:
        self._runs: dict[object, tuple[int, int]] = {}

    def begin(self, job: object, name: str) -> None:
        """Begin a run here."""
        if len(self._runs) >= _BEGUN_MAX:  # nobody told of their end
            self._runs.clear()
        entered = scopes.enter(name)
        if entered[0]:
            self._runs[job] = entered

    def end(self, job: object) -> None:
        """End it here."""
        entered = self._runs.pop(job, None)
        if entered is not None:
            scopes.leave(*entered)
