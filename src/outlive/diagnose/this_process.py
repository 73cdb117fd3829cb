"""The verdicts on this very process: its recording, joined to a snapshot of its heap in memory.

The snapshot comes first: what is made by reading the recording may lie where something died since.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from outlive.capture import scopes, snapshot
from outlive.errors import OutliveError

if TYPE_CHECKING:
    from outlive.heap.blocks import Blocks
    from outlive.model.finding import Finding
    from outlive.model.recording import Recording


def snapshot_if_named() -> int | None:
    """Return a snapshot in memory, None if no scope was named, or there is no room for it."""
    with suppress(OutliveError):
        return snapshot.take_into_memory() if scopes.are_named() else None
    return None


def judged(recording: Recording, taken: int | None, limit_bytes: float | None = None) -> list[Finding]:
    """Return the verdicts on a recording of this process; `taken`, its snapshot, is closed.

    `limit_bytes`: a leak leaves more than this of a run; None for the usual limit.
    """
    try:
        from outlive.diagnose.findings import findings
        from outlive.diagnose.growth import LIMIT_BYTES

        limit = LIMIT_BYTES if limit_bytes is None else limit_bytes
        return findings(recording, None if taken is None else _blocks(taken), limit)
    finally:
        if taken is not None:
            os.close(taken)


def _blocks(taken: int) -> Blocks:
    from outlive.heap.blocks import Blocks
    from outlive.heap.snapshot import Snapshot

    return Blocks(Snapshot(taken))
