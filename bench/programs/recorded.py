"""A service that fills and turns over a 100 MB cache, from 1,024 stacks: `recorded.py SECONDS TOOL FILE`.

TOOL is memray, outlive, or outlive-dense: with as many samples as its recording has room for, which is more
than any hour at 128 KiB would leave.
"""

import sys
import time
from pathlib import Path

BLOCKS, BLOCK_BYTES = 100_000, 1_000
DEPTH = 10


def _left(path: int, depth: int) -> object:
    return _make(path, depth)


def _right(path: int, depth: int) -> object:
    return _make(path, depth)


def _make(path: int, depth: int) -> object:
    """Make a block at the end of a path of calls, a bit for each."""
    if depth == 0:
        return {"path": path, "text": bytes(BLOCK_BYTES)}
    return (_right if path & 1 else _left)(path >> 1, depth - 1)


def serve(seconds: float) -> int:
    """Fill the cache and turn it over until the time is up; return how many blocks were made."""
    cache: list[object] = [None] * BLOCKS
    until, made = time.monotonic() + seconds, 0
    while made < BLOCKS or time.monotonic() < until:
        cache[made * 7_919 % BLOCKS] = _make(made, DEPTH)
        made += 1
    return made


def main() -> None:
    """Serve, recorded by one of the tools."""
    seconds, tool, file = float(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    if tool == "memray":
        import memray

        with memray.Tracker(file):
            serve(seconds)
    else:
        import outlive

        outlive.start("1 KiB" if tool == "outlive-dense" else "128 KiB", recording=file)
        serve(seconds)


if __name__ == "__main__":
    main()
