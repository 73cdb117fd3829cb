"""L08: finished tasks or futures are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    if found := find(evidence, r'(task ".*|Task|Future)', r"\._?(result|exception)(?:\.__traceback__)?"):
        what = "tasks" if "ask" in found.matches[0][1] else "futures"
        kept = {"result": "result", "exception": "exception and its frames"}[found.matches[1][1]]
        return f"finished {what} are kept, each with its {kept}"
    return ""


RULE = Rule(
    number="L08",
    title="Finished tasks or futures kept",
    sign=_sign,
    told="The way leads over a task or a future to its result or its exception: it is done.",
    cure="let go of a task when it is done: task.add_done_callback(TASKS.discard)",
    before="""\
import asyncio

TASKS = []

async def fetch(number):
    return load(number)

async def handle(number):
    task = asyncio.create_task(fetch(number))
    TASKS.append(task)
    await task
""",
    after="""\
import asyncio

TASKS = set()

async def fetch(number):
    return load(number)

async def handle(number):
    task = asyncio.create_task(fetch(number))
    TASKS.add(task)
    task.add_done_callback(TASKS.discard)
    await task
""",
)
