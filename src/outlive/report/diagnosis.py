"""`outlive.diagnose`: the verdicts on this very process, which print as the page people read."""

from __future__ import annotations

import html
import os
from pathlib import Path

from outlive.capture import breakdown, sampling
from outlive.diagnose.this_process import judged, snapshot_if_named
from outlive.errors import OutliveError
from outlive.model.finding import Diagnosis
from outlive.recording.reader import read
from outlive.report.breakdown import Subject
from outlive.report.finding_text import finding_text


class PrintedDiagnosis(Diagnosis):
    """A `Diagnosis` whose `repr()` is the page."""

    __slots__ = ()

    def __repr__(self) -> str:
        subject = Subject(os.getpid(), f"this process, pid {os.getpid()}")
        return finding_text(self.findings, self.breakdown, subject).rstrip("\n")

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the page's text, of which nothing can become markup."""
        return f"<pre>{html.escape(repr(self))}</pre>"


def of_this_process() -> Diagnosis:
    """See `outlive.diagnose`."""
    file = sampling.recording_path()
    if not file:
        why = "nothing is being recorded" if sampling.is_running() else "nothing is being sampled"
        raise OutliveError("there is nothing to diagnose", why, "call outlive.start() before the work begins")
    parts = breakdown.of_this_process()  # before all that is imported and made here counts too
    taken = snapshot_if_named()
    return PrintedDiagnosis(tuple(judged(read(Path(file)), taken)), parts)
