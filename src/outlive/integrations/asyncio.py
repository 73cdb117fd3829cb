"""asyncio: each task that no run has made is a run of a scope named by its coroutine, "task consume"."""

from __future__ import annotations

import asyncio
from contextvars import Context, copy_context

from outlive.capture import scopes
from outlive.integrations.names import name_of

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def install(loop: asyncio.AbstractEventLoop | None = None) -> None:
    """Name tasks that this loop, or else the running one, makes from now on; a factory it has is kept.

    A task made within a run belongs to that run, and so do those that a task makes.
    """
    loop = loop or asyncio.get_running_loop()
    make: Callable[..., Any] = loop.get_task_factory() or _plain
    if isinstance(make, _Factory):
        return
    loop.set_task_factory(_Factory(make))


def _plain(loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:  # noqa: ANN401 - as asyncio has it
    return asyncio.Task(coro, loop=loop, **kwargs)


class _Factory:
    def __init__(self, make: Callable[..., Any]) -> None:
        self.make = make

    def __call__(self, loop: asyncio.AbstractEventLoop, coro: object, **kwargs: Any) -> Any:  # noqa: ANN401 - as asyncio has it
        given: Context | None = kwargs.get("context")
        context = copy_context() if given is None else given
        try:
            run, around = context.run(_enter, name_of(coro))
        except RuntimeError:  # the program is in it just now
            run = around = 0
        if not run:
            return self.make(loop, coro, **kwargs)
        try:
            # Not every factory takes a context; but a task copies the one that it is made in.
            task = (
                self.make(loop, coro, **kwargs)
                if given is not None
                else context.run(self.make, loop, coro, **kwargs)
            )
            task.add_done_callback(lambda _: scopes.leave(run, around), context=context)
        except BaseException:
            context.run(scopes.leave, run, around)
            raise
        return task


def _enter(name: str) -> tuple[int, int]:
    return (0, 0) if scopes.here() else scopes.enter(f"task {name}")
