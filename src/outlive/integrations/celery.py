"""Celery: each task that a worker executes, or that is applied eagerly, is a run of a scope of its name."""

from __future__ import annotations

from outlive.integrations.begun import Begun

TYPE_CHECKING = False  # as in outlive/__init__.py
if TYPE_CHECKING:
    from celery import Task

_begun = Begun()


def install() -> None:
    """Name tasks from now on; call it where the app is made, so that workers do too."""
    from celery.signals import task_postrun, task_prerun

    task_prerun.connect(_begin, weak=False)
    task_postrun.connect(_end, weak=False)


def _begin(task_id: str, task: Task, **_more: object) -> None:
    _begun.begin(task_id, task.name)


def _end(task_id: str, **_more: object) -> None:
    _begun.end(task_id)
