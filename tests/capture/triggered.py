"""Programs with triggers, run for real."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

from tests.capture.recorded import PATIENCE_SECONDS, PRELUDE, Place

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# `triggers()`: what the program's own notes say of them; `seen(…)`: wait until they say so.
AROUND = """
def triggers():
    recorded = own()
    return recorded.process.notes.get("triggers", {}) if recorded else {}

def seen(**said):
    return until(lambda: all(triggers().get(key) == value for key, value in said.items()))
"""


def run(place: Place, program: str) -> str:
    return place.run(AROUND + textwrap.dedent(program))


def start(place: Place, program: str, before: Sequence[str] = ()) -> subprocess.Popen[str]:
    return place.start(AROUND + textwrap.dedent(program), before=before)


def err_of(place: Place, program: str, *before: str, **variables: str) -> str:
    """Run a program that says something on stderr, and ends well."""
    child = subprocess.run(
        [*before, sys.executable, "-c", PRELUDE + AROUND + textwrap.dedent(program)],
        env={**place.environment, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert child.returncode == 0, child
    return child.stderr


def files(place: Place, ending: str) -> list[Path]:
    return sorted((place.path / "recordings").glob(f"*{ending}"))
