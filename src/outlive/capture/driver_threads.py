"""Has what aiosqlite's threads make for a run, the rows above all, belong to that run.

Its connections have a thread each, and hand functions over to it by a queue.
"""

from __future__ import annotations

import sys
from functools import partial

from outlive.capture import imports
from outlive.capture.core import native

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import ContextVar
    from types import ModuleType
    from typing import Any

_MODULE = "aiosqlite.core"

_run: ContextVar[int] | None = None  # while this is on: what says which run a thread is in
_connection: Any = None  # aiosqlite's own class, while it is altered


def follow(run: ContextVar[int]) -> None:
    """Do so from now on, as soon as the program has imported aiosqlite."""
    global _run  # noqa: PLW0603 - one class in a process
    if _run is None:
        _run = run
        imports.on_module(_MODULE, _alter)


def leave() -> None:
    """Leave aiosqlite as it was, unless another tool has altered it since."""
    global _run, _connection  # noqa: PLW0603 - one class in a process
    imports.forget(_alter)
    if _connection is not None and _connection._execute is _handed_over:  # noqa: SLF001 - as it was altered
        _connection._execute = _execute  # noqa: SLF001
        _connection = None
    _run = None


def _alter(module: ModuleType) -> None:
    global _connection, _execute  # noqa: PLW0603 - one class in a process
    found: Any = getattr(module, "Connection", None)
    if _connection is None and callable(getattr(found, "_execute", None)):
        _execute = found._execute  # noqa: SLF001 - what is to be done in a run goes through it
        _pass_for(_execute)
        found._execute = _handed_over  # noqa: SLF001
        _connection = found


def _nothing(*_args: object, **_kwargs: object) -> object: ...


_execute: Callable[..., object] = _nothing  # what was found there


def _handed_over(self: object, fn: Callable[..., object], *args: object, **kwargs: object) -> object:
    variable = _run
    if variable is not None and (run := variable.get()):
        # In Python, a function that stepped in between would be the line that makes the rows.
        fn = partial(native.run_call, run, fn)
    return _execute(self, fn, *args, **kwargs)


def _pass_for(execute: Callable[..., object]) -> None:
    """Have mocks, and inspect from 3.12 on, see a coroutine function: no frame of ours is in tracebacks."""
    from functools import update_wrapper

    update_wrapper(_handed_over, execute)
    if sys.version_info >= (3, 12):
        from inspect import markcoroutinefunction

        markcoroutinefunction(_handed_over)
    else:
        from asyncio import coroutines

        _handed_over._is_coroutine = coroutines._is_coroutine  # type: ignore[attr-defined]  # noqa: SLF001
