"""Has what connections receive belong to the run that waits for it, not to the run that opened them.

An event loop calls back in the context in which a connection was opened: of a pool's, in that of a run that
ended long ago. The core sees that no task runs then (native/scopes.h), where asyncio's own account says so.
"""

from __future__ import annotations

import sys

from outlive.capture import imports
from outlive.capture.core import native

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from types import ModuleType

_MODULE = "asyncio.tasks"

_follows = False


def follow() -> None:
    """Do so from now on, as soon as the program has imported asyncio."""
    global _follows  # noqa: PLW0603 - one asyncio in a process
    if not _follows:
        _follows = True
        imports.on_module(_MODULE, _know)


def leave() -> None:
    """Wait for asyncio no more."""
    global _follows  # noqa: PLW0603 - one asyncio in a process
    _follows = False
    imports.forget(_know)


def _know(module: ModuleType) -> None:
    tasks: object = getattr(module, "_current_tasks", None)
    in_use: object = getattr(sys.modules.get("_asyncio"), "_current_tasks", None)
    # To 3.13, and once the module is whole: another dict is nobody's.
    if isinstance(tasks, dict) and tasks is in_use:
        native.tasks_are_in(tasks)
