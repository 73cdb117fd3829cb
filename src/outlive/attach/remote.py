"""Python 3.14's own way, sys.remote_exec: no debugger, and nothing stops.

Written from its documentation, untested.
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from outlive.errors import OutliveError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from outlive.attach.target import Target


@contextmanager
def asked(target: Target, text: str) -> Iterator[None]:
    """Have a process run Python source between two instructions of its first thread; wait inside the block.

    Raises:
        OutliveError: it does not let itself be asked.

    """
    folder = target.root / "tmp"
    try:
        with tempfile.NamedTemporaryFile("w", prefix="outlive-attach-", suffix=".py", dir=folder) as script:
            script.write(text)
            script.flush()
            Path(script.name).chmod(0o644)  # the process may be another user's
            sys.remote_exec(target.pid, f"/tmp/{Path(script.name).name}")  # type: ignore[attr-defined, unused-ignore] # noqa: S108
            yield
    except (OSError, RuntimeError, ValueError) as error:
        hint = "it may have been started with -X disable-remote-debug, or without the right to be traced"
        raise OutliveError(f"can't attach to process {target.pid}", str(error), hint) from error
