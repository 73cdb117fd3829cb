"""Collapsed stacks, a line each: what Brendan Gregg's flamegraph.pl and the tools that followed it read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outlive.recording.totals import by_stack
from outlive.report.stack_text import inwards, label

if TYPE_CHECKING:
    from outlive.model.recording import Recording


def folded(recording: Recording) -> str:
    """Return what is in use, a stack a line: frames from the outermost inwards, and estimated bytes."""
    lines: dict[str, float] = {}
    for site in by_stack(recording):
        if site.samples:
            stack = ";".join(label(frame).replace(";", ":") for frame in inwards(site.stack))
            lines[stack] = lines.get(stack, 0.0) + site.in_use.estimate
    return "".join(f"{stack} {round(size)}\n" for stack, size in lines.items())
