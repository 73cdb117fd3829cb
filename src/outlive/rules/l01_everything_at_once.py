"""L01: everything is loaded at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from outlive.rules.rule import Rule

if TYPE_CHECKING:
    from outlive.rules.rule import Evidence

_AT_ONCE = re.compile(
    r"\.(?:all|fetchall|scalars|read|readlines|json|to_list)\(|\blist\(|\.join\(|\bdumps\(|\bloads\("
)


def _sign(evidence: Evidence) -> str:
    for source in evidence.sources:
        if found := _AT_ONCE.search(source):
            return f"{found[0].strip('.(')}() makes all of it at once; nothing of it outlives the run"
    return "a run holds all its data at once; nothing of it outlives the run"


RULE = Rule(
    number="L01",
    title="Everything at once",
    sign=_sign,
    told="A run's peak is high, and nothing survives it. The line that made most is often one with `.all()`, "
    "`fetchall()`, `list(…)`, `read()` or `join(…)`.",
    cure="stream: read, convert and write a part at a time",
    before="""\
def export(cursor, file):
    rows = cursor.execute("SELECT line FROM activity").fetchall()
    file.write("\\n".join(line for (line,) in rows))
""",
    after="""\
def export(cursor, file):
    cursor.execute("SELECT line FROM activity")
    while rows := cursor.fetchmany(1000):
        file.writelines(f"{line}\\n" for (line,) in rows)
""",
    verdict="peak bloat",
)
