"""What takes long, on a terminal: a line that says what it is, for how long, and how far it is."""

from __future__ import annotations

import struct
import sys
import threading
import time
from typing import TYPE_CHECKING

from outlive.model import heap_layout

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

_QUIET_SECONDS = 0.7
_LOOK_SECONDS = 0.3


class Line:
    """A line on stderr, if that is a terminal, from a moment on until the end of the block; then it is gone.

    `said` is what stands in it and may change.
    """

    def __init__(self, said: str) -> None:
        """Show nothing yet."""
        self.said = said
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if sys.stderr is not None and sys.stderr.isatty():
            self._thread = threading.Thread(target=self._show, daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _show(self) -> None:
        began, wait = time.monotonic(), _QUIET_SECONDS
        while not self._over.wait(wait):
            wait = _LOOK_SECONDS
            sys.stderr.write(f"\r\033[K{self.said} · {time.monotonic() - began:.0f} s")
            sys.stderr.flush()
        if wait == _LOOK_SECONDS:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()


def walked(file: Path) -> int:
    """Return the count in the header of a snapshot that is being written; 0 if it can't be read."""
    try:
        with file.open("rb") as stream:
            head = stream.read(heap_layout.INFO_OFFSET + heap_layout.INFO.size)
        return int(heap_layout.INFO.unpack_from(head, heap_layout.INFO_OFFSET)[7])
    except (OSError, struct.error):
        return 0
