"""APScheduler 3: each execution of a job is a run of a scope named by the job's function."""

from __future__ import annotations

import functools
import sys

from outlive.capture import scopes
from outlive.integrations.names import name_of

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from apscheduler.job import Job

_EXECUTORS = "apscheduler.executors"


def install() -> None:
    """Name jobs from now on: "job export". Those of a process pool are named where it forks, not spawns.

    Raises:
        ImportError: this is no APScheduler 3.

    """
    from apscheduler.executors import base

    if hasattr(base.run_job, "__wrapped__"):
        return
    for name, following in (("run_job", _following), ("run_coroutine_job", _following_coroutine)):
        was = getattr(base, name)
        _replace(name, was, following(was))


def _following(execute: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(execute)
    def run_job(job: Job, *args: object, **kwargs: object) -> object:
        run, around = scopes.enter(f"job {name_of(job.func)}")
        try:
            return execute(job, *args, **kwargs)
        finally:
            scopes.leave(run, around)

    return run_job


def _following_coroutine(execute: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
    @functools.wraps(execute)
    async def run_coroutine_job(job: Job, *args: object, **kwargs: object) -> object:
        run, around = scopes.enter(f"job {name_of(job.func)}")
        try:
            return await execute(job, *args, **kwargs)
        finally:
            scopes.leave(run, around)

    return run_coroutine_job


def _replace(name: str, was: object, by: object) -> None:
    """Replace a function of apscheduler.executors.base, also where executors imported it to."""
    for module in [module for key, module in sys.modules.items() if key.startswith(_EXECUTORS)]:
        if getattr(module, name, None) is was:
            setattr(module, name, by)
