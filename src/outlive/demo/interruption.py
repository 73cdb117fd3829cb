"""Ctrl-C and SIGTERM end the demo at any moment, and find it in a state that can be cleaned up."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def held_signals() -> Iterator[None]:
    """Let SIGINT and SIGTERM wait until the block is done: what it makes is made and known, or not made."""
    came: list[int] = []
    handlers = {
        number: signal.signal(number, lambda number, _frame: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for late in came:
        signal.raise_signal(late)


@contextmanager
def temporary_folder(prefix: str = "outlive-demo-") -> Iterator[Path]:
    """Make a folder that is gone afterwards, also when the command is interrupted or terminated."""
    handler = signal.signal(signal.SIGTERM, _exit_terminated)
    folder = None
    try:
        with held_signals():
            folder = Path(tempfile.mkdtemp(prefix=prefix))
        yield folder
    finally:
        with held_signals():  # a second Ctrl-C must not leave a gigabyte behind
            if folder:
                shutil.rmtree(folder)
        signal.signal(signal.SIGTERM, handler)


def _exit_terminated(_signal: int, _frame: object) -> NoReturn:
    sys.exit(128 + signal.SIGTERM)
