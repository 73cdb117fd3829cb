"""Peaks: a stretch of a test that may have so much memory in use, and no more."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from outlive.capture import sampling
from outlive.capture.peaks import Peak, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMED = 3  # lines
_MATTERS = 0.05  # of the limit
_SAMPLES = 256  # of a limit's worth of memory
_ROOM_BYTES = 8 << 20


@contextmanager
def limited(name: str, limit_bytes: int) -> Iterator[None]:
    """Fail at the end if more than `limit_bytes` were in use at any moment, over what was at first."""
    with tempfile.TemporaryDirectory(prefix="outlive-") as folder:
        ours = not sampling.is_running()
        if ours:
            place = str(Path(folder, "peak.outlive"))
            sampling.start(max(1, limit_bytes // _SAMPLES), place, _ROOM_BYTES, True)  # noqa: FBT003
            sampling.insist()
            sampling.be_still()  # what it takes to look would count
        try:
            with Peak() as peak:
                yield
            if peak.size_bytes > limit_bytes:
                with Unseen():
                    copy = Path(folder, "then.outlive")  # before what is imported now takes its place
                    copy.write_bytes(Path(sampling.recording_path() or os.devnull).read_bytes())
                    _fail(name, peak.size_bytes, limit_bytes, copy)
        finally:
            if ours:
                sampling.stop()


def _fail(name: str, size_bytes: int, limit_bytes: int, recorded: Path) -> None:
    from outlive.diagnose.ignores import IGNORES, of_stack
    from outlive.diagnose.lines import own_frame, source
    from outlive.model.place import short_path
    from outlive.recording.reader import read
    from outlive.recording.totals import is_own
    from outlive.report.growth_text import peak_text

    made: Counter[str] = Counter()
    for stack in read(recorded).stacks.values() if recorded.stat().st_size else ():
        frame = own_frame(stack.frames)
        if frame is not None and not is_own(stack) and not of_stack(IGNORES, stack.frames):
            made[f"{short_path(frame.file)}:{frame.line}  {source(frame)}"] += round(stack.allocated_bytes)
    most = [(line, size) for line, size in made.most_common(_NAMED) if size >= limit_bytes * _MATTERS]
    pytest.fail(peak_text(name, size_bytes, limit_bytes, most), pytrace=False)
