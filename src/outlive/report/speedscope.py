"""Profiles for https://www.speedscope.app: what is in use, and what was allocated in all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from outlive.recording.totals import by_stack
from outlive.report.program_text import program
from outlive.report.stack_text import FORGOTTEN, inwards

if TYPE_CHECKING:
    from collections.abc import Iterable

    from outlive.model.recording import Frame, Recording

    Weighed = Iterable[tuple[tuple[Frame, ...], float]]


def speedscope(recording: Recording, exporter: str) -> str:
    """Return the file; its format is file-format-spec.ts in speedscope's repository."""
    frames: dict[Frame, int] = {}
    sites = by_stack(recording)
    in_use = [(inwards(site.stack), site.in_use.estimate) for site in sites if site.samples]
    allocated = [(inwards(site.stack), site.stack.allocated_bytes) for site in sites]
    if recording.forgotten_bytes:
        allocated.append(((FORGOTTEN,), recording.forgotten_bytes))
    name = program(recording)
    return json.dumps(
        {
            "$schema": "https://www.speedscope.app/file-format-schema.json",
            "name": name,
            "exporter": exporter,
            "activeProfileIndex": 0,
            "profiles": [
                _profile(f"{name}: in use", in_use, frames),
                _profile(f"{name}: allocated", allocated, frames),
            ],
            "shared": {"frames": [_frame(frame) for frame in frames]},
        }
    )


def _profile(name: str, weighed: Weighed, frames: dict[Frame, int]) -> dict[str, object]:
    """Return one view; `frames` takes up those that are new to it."""
    stacks = [
        ([frames.setdefault(frame, len(frames)) for frame in stack], round(size)) for stack, size in weighed
    ]
    return {
        "type": "sampled",
        "name": name,
        "unit": "bytes",
        "startValue": 0,
        "endValue": sum(size for _, size in stacks),
        "samples": [stack for stack, _ in stacks],
        "weights": [size for _, size in stacks],
    }


def _frame(frame: Frame) -> dict[str, str | int]:
    known: dict[str, str | int] = {"file": frame.file, "line": frame.line} if frame.file else {}
    return {"name": frame.function} | known
