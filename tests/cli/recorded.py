"""Recordings in a folder, and outlive's commands run on them in processes of their own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.recording.synthetic import point, recording, sample, stack, write

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1 << 20


def recorded(folder: Path, name: str = "worker.outlive", *, blocks: int = 3) -> Path:
    """Write a recording: `blocks` of 4 MiB on one line and one of 1 MiB on another."""
    stacks = {
        1: stack("remember /srv/cache.py:5", "serve /srv/app.py:9", allocated=60.0 * MIB, blocks=15.0),
        2: stack("load /srv/rows.py:2", "serve /srv/app.py:9", allocated=1.0 * MIB, blocks=1.0),
    }
    samples = [sample(1, 4 * MIB, address=4096 + at, interval=1024) for at in range(blocks)]
    samples.append(sample(2, MIB, address=1 << 20, interval=1024))
    made = recording(
        stacks,
        samples,
        [point(0.0, rss=MIB), point(9.0, rss=30 * MIB)],
        notes={"program": "serve.py"},
        interval_bytes=1024,
        current_interval_bytes=1024,
    )
    return write(folder / name, made, points=1200)


def names(folder: Path) -> list[str]:
    """Name all that is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def outlive(*words: object, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "outlive", *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
    )


def on_a_terminal(*words: object, **variables: str) -> tuple[int, str]:
    """Run with stdout and stderr on a terminal; return the exit code and what it shows."""
    main, side = pty.openpty()
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "outlive", *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=side,
            stderr=side,
            env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, "TERM": "xterm", **variables},
        ) as child:
            os.close(side)
            side = -1
            shown = b""
            while True:
                try:
                    part = os.read(main, 1 << 16)
                except OSError:  # the terminal's other end is closed
                    break
                if not part:
                    break
                shown += part
        return child.returncode, shown.decode()
    finally:
        os.close(main)
        if side >= 0:
            os.close(side)
