"""Functions whose every byte is known beforehand: `truth.py CASE cold|warm outlive|memory_profiler`.

In each, one line is marked `# <-`; CASES says how many bytes that line keeps (negative: lets go of), from
the sizes that the objects themselves tell.
"""

import asyncio
import io
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import memory_profiler
import numpy as np
from side_by_side.children import hand_over
from side_by_side.marked import marked_lines

import outlive

SMALL, BLOCKS = 100, 20_000
MIB = 1 << 20
BYTE = b"x"  # times n: every page is written, or RSS would not see it


def small() -> object:
    """Make many small blocks."""
    kept: list[object] = [None] * BLOCKS
    for i in range(BLOCKS):
        kept[i] = bytes(SMALL)  # <-
    return kept


def large() -> object:
    """Make one large block."""
    kept = BYTE * (50 * MIB)  # <-
    return kept  # noqa: RET504 - so that the marked line ends first


def growth() -> object:
    """Make a block that grows by reallocation."""
    kept = bytearray()
    part = BYTE * 100_000
    for _ in range(200):
        kept += part  # <-
    return kept


def freed() -> object:
    """Let go of a large block."""
    kept: object = BYTE * (50 * MIB)
    del kept  # <-
    return None


def array() -> object:
    """Make numpy data, which bypasses Python's objects."""
    kept = np.ones(5 * MIB)  # <-
    return kept  # noqa: RET504 - so that the marked line ends first


def comprehension() -> object:
    """Make blocks within one line."""
    kept = [bytes(1_000) for _ in range(BLOCKS)]  # <-
    return kept  # noqa: RET504 - so that the marked line ends first


def inner() -> object:
    """Allocate for a caller that is profiled too."""
    kept = BYTE * (20 * MIB)
    return kept  # noqa: RET504 - the same


def nested() -> object:
    """Call what is profiled too, and keep what it made."""
    kept = [
        inner(),  # <-
        inner,
    ]
    return kept  # noqa: RET504 - the same


async def tasks() -> object:
    """Allocate between awaits, as another task does the same."""
    kept = []
    for _ in range(6):
        kept.append(BYTE * (10 * MIB))  # <-
        await asyncio.sleep(0)
    return kept


def generator() -> Iterator[object]:
    """Allocate between yields, as the consumer does the same."""
    for _ in range(10):
        part = BYTE * (2 * MIB)  # <-
        yield part


def consume(profiled: Callable[[], Iterator[object]]) -> object:
    """Keep what a generator yields, and as much again of its own."""
    return [(part, BYTE * (2 * MIB)) for part in profiled()]


async def two_tasks(profiled: Callable[[], Any]) -> object:
    """Run a coroutine function twice at once."""
    return await asyncio.gather(profiled(), profiled())


@dataclass(frozen=True, slots=True)
class Case:
    """A function, how to drive it, and the truth about its marked line."""

    function: Callable[[], object]
    kept: Callable[[object], int]
    drive: Callable[[Callable[[], Any]], object] = lambda profiled: profiled()


def size(thing: object) -> int:
    """Return what `sys.getsizeof` says, summed over a list's elements."""
    return sys.getsizeof(thing) + (sum(map(sys.getsizeof, thing)) if isinstance(thing, list) else 0)


CASES = {
    "small blocks": Case(small, lambda _: BLOCKS * sys.getsizeof(bytes(SMALL))),
    "one large block": Case(large, size),
    "growth by realloc": Case(growth, lambda kept: sys.getsizeof(kept) - sys.getsizeof(bytearray())),
    "freed": Case(freed, lambda _: -sys.getsizeof(bytes(50 * MIB))),
    "numpy array": Case(array, sys.getsizeof),
    "comprehension": Case(comprehension, size),
    "nested calls": Case(nested, lambda _: sys.getsizeof(bytes(20 * MIB))),
    "two tasks in turn": Case(
        tasks,
        lambda _: 2 * 6 * sys.getsizeof(bytes(10 * MIB)),
        lambda profiled: asyncio.run(two_tasks(profiled)),
    ),
    "generator": Case(generator, lambda _: 10 * sys.getsizeof(bytes(2 * MIB)), consume),
}


def warm_up() -> None:
    """Leave a heap that has room for everything, as one does that has done such work before."""
    held = [[bytes(each) for _ in range(500_000)] for each in (SMALL, 1_000)]
    held[0].extend(bytes(300_000) for _ in range(800))
    # The last block stays, or the C library would give the rest back.
    warm_up.__dict__["last"] = bytes(120_000)
    del held


def increments(text: str) -> dict[int, float]:
    """Sum memory_profiler's tables by line, in bytes."""
    found: dict[int, float] = {}
    for line, mib in re.findall(r"^ *(\d+) +-?[\d.]+ MiB +(-?[\d.]+) MiB", text, re.MULTILINE):
        found[int(line)] = found.get(int(line), 0.0) + float(mib) * MIB
    return found


def main() -> None:
    """Drive one case. memory_profiler's table is read here, outlive's by whoever called `outlive run`."""
    global inner  # noqa: PLW0603 - decorated where it stands
    case, heap, tool = CASES[sys.argv[1]], sys.argv[2], sys.argv[3]
    printed = io.StringIO()
    function = case.function
    if tool == "outlive":
        function, inner = outlive.profile(function), outlive.profile(inner)
    else:
        function = memory_profiler.profile(function, stream=printed, precision=6)
        inner = memory_profiler.profile(inner, stream=io.StringIO())
    if heap == "warm":
        warm_up()
    kept = case.drive(function)
    (line,) = marked_lines(case.function)
    found = increments(printed.getvalue()).get(line)
    hand_over(line=line, true_bytes=case.kept(kept), found_bytes=found)


if __name__ == "__main__":
    main()
