"""L24: memory that is free and stays with the allocator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.rules.rule import Rule

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence


def _sign(_evidence: Evidence) -> str:
    return "what the runs made is freed; the allocators keep its pages for the next blocks"


RULE = Rule(
    number="L24",
    title="Allocator retention after a peak",
    sign=_sign,
    told="Nothing of the runs is alive, and RSS stays high: what malloc or Python has free is large.",
    cure="a smaller peak (stream); outlive diagnose --trim PID gives back what it can; MALLOC_ARENA_MAX=2",
    before="""\
def export(rows, file):
    file.write("\\n".join([str(row) for row in rows]))
""",
    after="""\
def export(rows, file):
    for row in rows:
        file.write(f"{row}\\n")
""",
    verdict="allocator retention",
)
