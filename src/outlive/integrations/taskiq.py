"""taskiq: each task that is executed is a run of a scope of its name."""

from __future__ import annotations

from taskiq import TaskiqMiddleware

from outlive.integrations.begun import Begun

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from typing import Any

    from taskiq import TaskiqMessage, TaskiqResult


class ScopeMiddleware(TaskiqMiddleware):
    """`broker.with_middlewares(ScopeMiddleware())`."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = Begun()

    def pre_execute(self, message: TaskiqMessage) -> TaskiqMessage:
        """Begin the task's run."""
        self._begun.begin(message.task_id, message.task_name)
        return message

    def post_execute(self, message: TaskiqMessage, result: TaskiqResult[Any]) -> None:  # noqa: ARG002 - taskiq's
        """End it."""
        self._begun.end(message.task_id)
