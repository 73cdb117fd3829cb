"""One step of the demo: a child process, watched until it ends, and gone when the demo is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from outlive.demo.interruption import held_signals
from outlive.errors import OutliveError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LOOK_SECONDS = 0.2
_LAST_LINES = 12


def run_child(  # noqa: PLR0913
    arguments: list[str],
    *,
    what: str,
    root: Path,
    log: Path,
    look: Callable[[int, float], None],
    accepted: tuple[int, ...] = (0,),
    report: Path | None = None,
) -> None:
    """Run `python ARGUMENTS` in `root`, its output into `log`; call `look(pid, seconds)` now and then.

    Raises:
        OutliveError: its exit code is not an accepted one, or the file `report` is not there at its end; the
            text ends with the last lines of `log`.

    """
    path = os.pathsep.join(filter(None, (str(root), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {
        "PYTHONPATH": path,
        "PYTHONIOENCODING": "utf-8",
        "PYTHONDONTWRITEBYTECODE": "1",  # nothing is left in the tree
        "OUTLIVE_RECORDING": str(log.parent),  # nor elsewhere
    }
    started = time.monotonic()
    process = None
    try:
        # Interrupted halfway, Popen would leave a child that nobody knows.
        with log.open("wb") as output, held_signals():
            process = subprocess.Popen(  # noqa: S603 -- this Python, with arguments of the demo's own
                [sys.executable, *arguments],
                cwd=root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        while True:
            try:
                code = process.wait(_LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                look(process.pid, time.monotonic() - started)
    finally:
        if process:
            process.kill()  # nothing if it has ended
            process.wait()
    if code not in accepted or (report and not report.exists()):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
        why = "\n  ".join((_ending(code), *lines))
        hint = "if memory ran out, type: outlive demo --rows 20000" if code == -signal.SIGKILL else ""
        raise OutliveError(f"the demo stopped while {what}", why, hint)


def _ending(code: int) -> str:
    if code >= 0:
        return f"its process ended with exit code {code}"
    return f"its process was ended by {signal.Signals(-code).name}"
