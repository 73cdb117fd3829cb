"""Takes known noise out of a recording."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from outlive.diagnose.ignores import of_stack
from outlive.diagnose.survivors import survivors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from outlive.diagnose.ignores import Ignore
    from outlive.model.recording import Recording


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
