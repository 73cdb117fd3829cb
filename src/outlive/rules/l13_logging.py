"""L13: a log handler per instance, or a logger per name that never comes again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule
from outlive.rules.steps import find

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(evidence: Evidence) -> str:
    if find(evidence, "(?:Root)?Logger", r"\.(?:handlers|filters)", r"list\[.*"):
        return "handlers are added to a logger that outlives them, and never removed"
    if find(evidence, r"\.loggerDict", r"\[.*"):
        return "logging keeps each logger for ever, and each run asks for one by a new name"
    return ""


RULE = Rule(
    number="L13",
    title="Log handlers never removed, or ever new loggers",
    sign=_sign,
    told="The way leads over a logger's `handlers` or `filters`, or over the `loggerDict` that has every "
    "logger.",
    cure="logger.removeHandler(handler) in a finally, or one at start-up; one logger a module, "
    "getLogger(__name__)",
    before="""\
import logging

log = logging.getLogger("app.jobs")

def handle(number):
    handler = logging.NullHandler()
    handler.rows = load(number)
    log.addHandler(handler)
    log.info("job %s", number)
""",
    after="""\
import logging

log = logging.getLogger("app.jobs")

def handle(number):
    handler = logging.NullHandler()
    handler.rows = load(number)
    log.addHandler(handler)
    try:
        log.info("job %s", number)
    finally:
        log.removeHandler(handler)
""",
)
