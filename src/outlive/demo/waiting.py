"""Why a line that waits for another thread shows more in one column of its table than in the next."""

from __future__ import annotations

import json
import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING

from outlive.model.size import MIB, mib

if TYPE_CHECKING:
    from pathlib import Path

_QUERY = "await session.execute(query)"
_WIDTH = 100
_LEAST_BYTES = MIB


def explain_wait(profile: Path) -> str:
    """Explain the query's line of the buggy job's profile, in its own figures.

    Empty for a profile without such a line, or where the two columns differ too little to be noticed.
    """
    functions = json.loads(profile.read_text(encoding="utf-8"))["functions"]
    lines = [line for function in functions for line in function["lines"]]
    for before, line in pairwise(lines):
        if _QUERY in line["source"]:
            rise = line["mem_bytes"] - before["mem_bytes"]
            elsewhere = rise - line["increment_bytes"]
            break
    else:
        return ""
    if elsewhere < _LEAST_BYTES:
        return ""
    return textwrap.fill(
        f"Line {line['line']}, {_QUERY}: Mem usage rises by {mib(rise)}, yet its Increment is"
        f" {mib(line['increment_bytes'])}. The other {mib(elsewhere)} were allocated by the thread in which"
        " aiosqlite reads the rows; an Increment counts only what the line's own thread does.",
        _WIDTH,
    )
