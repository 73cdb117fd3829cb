"""L09: each run starts a task, or a thread, that never ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import SUSPENDED, find, find_in, is_one_for_all, length

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    return _task(evidence) or _thread(evidence)


def _task(evidence: Evidence) -> str:
    found = find(evidence, r'task ".*', SUSPENDED) or find(evidence, r"\._coro", SUSPENDED)
    if found and not is_one_for_all(found.holder, evidence.runs, found.at + 2):
        _, name, place = found.matches[1].groups()
        return f"each run starts a task that does not end: {name}() waits at {place}"
    found = find(evidence, r'task ".*', "Context", "context variable (.+)")
    if (
        found
        and found.holder.root.kind == "task"
        and not is_one_for_all(found.holder, evidence.runs, found.at + 3)
    ):
        return f"each run starts a task that does not end, and its context has {found.matches[2][1]}"
    return ""


def _thread(evidence: Evidence) -> str:
    """Many threads are one way if they are alike in name, else ways of their own."""
    places: dict[str, set[str]] = {}
    for holder in evidence.ways:
        found = find_in(holder, r"thread (?!MainThread$).*", r"frame .+\(\) at .+", "local .+")
        if found and not any(length(step) >= max(evidence.runs, 1) for step in holder.path[found.at + 3 :]):
            places.setdefault(holder.path[found.at + 1], set()).add(holder.root.name)
            if "…" in holder.path[0] or len(places[holder.path[found.at + 1]]) > 1:
                name, _, place = holder.path[found.at + 1].removeprefix("frame ").partition("() at ")
                return f"each run starts a thread that does not end: {name}() is at {place}"
    return ""


RULE = Rule(
    number="L09",
    title="A task that never ends",
    sign=_sign,
    told="It is a local variable of a coroutine that waits in a task of its own, or of a function that "
    "runs in a thread of its own; the tasks or threads are many, not one that holds it all.",
    cure="end it with what it serves: asyncio.TaskGroup, asyncio.timeout(…), task.cancel()",
    before="""\
import asyncio

TASKS = set()

async def poll(rows):
    while rows:
        await asyncio.sleep(60)

async def handle(number):
    task = asyncio.create_task(poll(load(number)))
    TASKS.add(task)
    task.add_done_callback(TASKS.discard)
    await asyncio.sleep(0)
""",
    after="""\
import asyncio

async def poll(rows):
    while rows:
        await asyncio.sleep(60)

async def handle(number):
    task = asyncio.create_task(poll(load(number)))
    try:
        await asyncio.sleep(0)
    finally:
        task.cancel()
""",
)
