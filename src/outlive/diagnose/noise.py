"""What of a recording is no test's: known noise, and what was made beside its runs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from outlive.diagnose import lines
from outlive.diagnose.ignores import OWN, of_stack
from outlive.diagnose.survivors import survivors
from outlive.model.estimate import Estimate
from outlive.model.finding import Finding
from outlive.recording.totals import is_own

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outlive.diagnose.ignores import Ignore
    from outlive.model.recording import Frame, Recording


def without_noise(recording: Recording, ignores: Sequence[Ignore]) -> tuple[Recording, dict[str, float]]:
    """Return the recording without known noise, and the bytes of that a run left behind, by its name."""
    names = {number: of_stack(ignores, stack.frames) for number, stack in recording.stacks.items()}
    ignored: dict[str, float] = defaultdict(float)
    for scope in survivors(recording):
        for site in scope.sites:
            name = names[site.stacks[0]]
            if name and scope.runs.ended:
                ignored[name] += sum(site.weights) / scope.runs.ended
    kept = tuple(sample for sample in recording.samples if not names.get(sample.stack))
    return replace(recording, samples=kept), dict(ignored)


def made_beside(recording: Recording, name: str, runs: int) -> Finding | None:
    """Return the line whose blocks are most of what the main thread made outside of any run, if there is one.

    An event loop that is older than a run has a context of its own, and so has what it runs.
    """
    sizes: dict[Frame, float] = defaultdict(float)
    for sample in recording.samples:
        stack = recording.stacks.get(sample.stack)
        if not sample.run and sample.thread == recording.process.pid and stack and not is_own(stack):
            frame = lines.own_frame(stack.frames)
            if frame is not None and not frame.file.startswith(OWN):
                sizes[frame] += sample.size
    if not sizes or not runs:
        return None
    frame, size = max(sizes.items(), key=lambda each: each[1])
    made = sum(sizes.values()) / runs
    why = (
        "made outside of the runs' context, as by an event loop older than they are; its holder is not known"
    )
    per_run, place = Estimate(made, made, made), lines.place(frame)
    return Finding("leak", "likely", name, runs, per_run, 0.0, size, place, "", 0.0, "", "", (why,), "")
