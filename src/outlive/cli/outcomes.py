"""What came of a program, read from a file: its recording, or what `outlive run --sample --json` wrote."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from outlive.cli import source
from outlive.diagnose.comparison import Outcome, ScopeOutcome, outcome
from outlive.errors import OutliveError
from outlive.model.estimate import Estimate
from outlive.recording.reader import read


def read_outcome(named: str) -> Outcome:
    """Return what a recording, a process that records, or a document says.

    Raises:
        OutliveError: it can't be read, or does not say it.

    """
    if not source.is_process(named) and _is_document(Path(named)):
        return _from_document(named)
    return outcome(read(source.find(named)))


def _is_document(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(64).lstrip().startswith(b"{")
    except (OSError, ValueError):
        return False  # whoever reads it as a recording says why


def _from_document(named: str) -> Outcome:
    try:
        document = json.loads(Path(named).read_bytes())
        return Outcome(
            {each["scope"]: _scope(each) for each in document["scopes"]},
            document["peak_rss_bytes"] - document["base_rss_bytes"],
            document["peak_python_bytes"],
            document["seconds"],
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        missing = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        hint = "it takes what outlive run --sample --json FILE writes"
        raise OutliveError(f"can't compare {named}", missing, hint) from error


def _scope(said: dict[str, Any]) -> ScopeOutcome:
    known = said["per_run_bytes"]
    high = math.inf if known["high"] is None else known["high"]
    per_run = Estimate(known["estimate"], known["low"], high)
    return ScopeOutcome(
        said["scope"], said["runs"], said["verdict"], per_run, tuple(said["reasons"]), said["more_runs"]
    )
